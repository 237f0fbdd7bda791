// One person with an unmodified socket.io-client: plays, writes down all it
// does and hears, and does what a client should when its connection breaks.
//
// A command keeps its requestId until its outcome is known: no answer, or the
// answer that the store is away, means that it is sent again. `seq` is
// followed; a hole is repaired with session:sync; after a reconnect that did
// not recover, one session:join with the token restores the seat.

import { io } from "socket.io-client";

import { breakOff } from "../support/engine.mjs";
import { Random } from "./random.mjs";

const TRANSPORTS = { websocket: ["websocket"], polling: ["polling"], upgrade: ["polling", "websocket"] };
/** How long an acknowledgement may take before the outcome counts as unknown. */
const ACK_TIMEOUT_MS = 4_000;
/** Between two attempts of anything that is to be tried again. */
const RETRY_MS = 100;
/** Answers after which nobody knows whether the command was committed. */
const UNKNOWN = new Set([
  ...["STATE_UNAVAILABLE", "SERVER_BUSY", "SERVER_SHUTDOWN", "INTERNAL"],
  // It never reached the session, but an attempt before may have.
  ...["NOT_JOINED", "RATE_LIMITED"],
]);

const CARDS = ["0", "1", "2", "3", "5", "8", "13", "21", "?", "☕"];

export class Player {
  #recorder;
  #random;
  #spec;
  #commands = 0;
  #isPlaying = false;
  #lastName = null;
  #cutAt = null;
  #restoring = 0;
  #seat = null;
  #wanted = null;

  constructor(spec, recorder) {
    this.#spec = spec;
    this.#recorder = recorder;
    this.#random = new Random(spec.seed);
    this.name = spec.name;
    /** What was applied up to now; null outside a session. */
    this.last = null;
    /** Connected, in the session, nothing missed. */
    this.isWhole = false;
    /** The command whose outcome is not known yet. */
    this.open = null;
    this.view = { round: null, stories: [], timer: null };
    this.socket = io(spec.url, {
      forceNew: true,
      transports: TRANSPORTS[spec.transport],
      reconnectionDelay: spec.reconnectionDelayMs,
      reconnectionDelayMax: spec.reconnectionDelayMs * 5,
      timeout: 5_000,
    });
    this.socket.on("connect", () => this.#connected());
    this.socket.on("connect_error", (error) => this.#write("refused", { why: error.message }));
    this.socket.on("disconnect", (reason) => this.#cut(reason));
    this.socket.onAny((name, payload, ...more) => this.#hear(name, payload, more));
  }

  /** Opens a session and resolves with its id. */
  async create(settings) {
    await this.#until(() => this.socket.connected);
    const { name } = this;
    const ack = await this.#call("session:create", { name: "Chaos", playerName: name, settings });
    if (!ack?.ok) throw new Error(`${name} could not open a session: ${JSON.stringify(ack)}`);
    this.#wanted = ack.sessionId;
    this.#sit(ack);
    this.#restore();
    return ack.sessionId;
  }

  /** Takes a seat for the first time. */
  async join(sessionId) {
    if (this.#wanted === null) {
      this.#wanted = sessionId;
      if (this.socket.connected) this.#restore();
    }
    if (!(await this.#until(() => this.isWhole))) throw new Error(`${this.name} could not join`);
  }

  async play() {
    this.#isPlaying = true;
    await this.#sleep(this.#random.draw() * this.#spec.thinkMs);
    while (this.#isPlaying) {
      if (this.isWhole && this.open === null) this.#send(...this.#choose());
      await this.#sleep(this.#random.about(this.#spec.thinkMs));
    }
  }

  /** No more new commands; resolves when all is known and whole. */
  async settle(withinMs) {
    this.#isPlaying = false;
    return this.#until(() => this.isWhole && this.open === null, withinMs);
  }

  /** Says what it has applied, then asks the server for the same. */
  async finish() {
    this.#write("final", { seq: this.last });
    const isSynced = this.isWhole && (await this.#sync("final"));
    if (!isSynced || this.open !== null) {
      this.#write("stuck", { connected: this.socket.connected, open: this.open?.cmd ?? null });
    }
  }

  /** Gone for good, without a word to the game. */
  end() {
    this.#isPlaying = false;
    this.#write("end");
    this.socket.disconnect();
  }

  /** The connection breaks; the client comes back by itself. */
  drop() {
    breakOff(this.socket.io.engine);
  }

  // What happens to the connection.

  #connected() {
    const recovered = this.socket.recovered === true;
    this.#write("connect", { recovered, sid: this.socket.id });
    if (!recovered) {
      this.last = null;
      this.#seat &&= { ...this.#seat, isIn: false };
    }
    if (this.#wanted !== null) this.#restore();
  }

  #cut(reason) {
    const at = this.#write("cut", { reason });
    this.#cutAt ??= at;
    this.isWhole = false;
    this.#restoring++;
    // The server said goodbye: no reconnect comes by itself.
    if (reason === "io server disconnect") {
      setTimeout(() => this.socket.connect(), RETRY_MS);
    }
  }

  /** Back to the seat, and up to date; tried until it works or breaks again. */
  async #restore() {
    const attempt = ++this.#restoring;
    const isCurrent = () => attempt === this.#restoring && this.socket.connected;
    const how = this.#seat?.isIn ? "replay" : "snapshot";
    while (isCurrent() && !this.#seat?.isIn) {
      const claim = this.#seat ? { playerToken: this.#seat.token } : { playerName: this.name };
      const ack = await this.#call("session:join", { sessionId: this.#wanted, ...claim });
      if (!isCurrent()) return;
      if (ack?.ok) {
        this.#sit(ack);
      } else {
        this.#write("nojoin", { code: ack?.error?.code ?? null });
        await this.#sleep(this.#random.about(RETRY_MS));
      }
    }
    while (isCurrent() && !(await this.#sync("restore"))) await this.#sleep(RETRY_MS);
    if (!isCurrent()) return;
    if (this.open !== null) await this.#resend(isCurrent);
    if (!isCurrent()) return;
    this.isWhole = true;
    if (this.#cutAt !== null) {
      this.#write("caught", { how, cut: this.#cutAt });
      this.#cutAt = null;
    }
  }

  #sit(ack) {
    this.#seat = { player: ack.player.id, token: ack.playerToken, isIn: true };
    this.#write("seat", { session: ack.sessionId, player: ack.player.id });
  }

  // Commands.

  #send(event, payload) {
    const cmd = `${this.name}-${++this.#commands}`;
    this.open = { cmd, event, payload: { ...payload, requestId: cmd } };
    this.#write("invoke", { cmd, ev: event, p: payload });
    this.#attempt().then((isKnown) => {
      // A cut resends when it is over; here the connection lives.
      if (!isKnown && this.isWhole) this.#resend(() => this.isWhole);
    });
  }

  async #resend(isCurrent) {
    while (isCurrent() && this.open !== null) {
      await this.#sleep(this.#random.about(RETRY_MS));
      if (!isCurrent() || this.open === null) return;
      this.#write("resend", { cmd: this.open.cmd });
      await this.#attempt();
    }
  }

  /** Whether the outcome is known now. */
  #attempt() {
    const { cmd, event, payload } = this.open;
    return this.#call(event, payload, (ack) => this.#answered(cmd, ack));
  }

  #answered(cmd, ack) {
    if (this.open?.cmd !== cmd) return true;
    const code = ack?.error?.code;
    if (ack === null || UNKNOWN.has(code)) {
      this.#write("info", { cmd, code: code ?? null });
      return false;
    }
    this.open = null;
    if (ack.ok) this.#write("ok", { cmd, a: ack });
    else this.#write("fail", { cmd, code, e: ack.error });
    return true;
  }

  /**
   * Resolves with what `answered` makes of the acknowledgement, or of null when
   * none came. It is asked at once: what is heard next, in the same packet,
   * must find everything done.
   */
  #call(event, payload, answered = (ack) => ack) {
    return new Promise((resolve) => {
      if (!this.socket.connected) return resolve(answered(null));
      const timed = this.socket.timeout(ACK_TIMEOUT_MS);
      timed.emit(event, payload, (error, ack) => resolve(answered(error ? null : ack)));
    });
  }

  #sync(why) {
    return this.#call("session:sync", {}, (ack) => {
      if (ack?.ok) this.#take(ack.snapshot, why);
      return ack?.ok === true;
    });
  }

  // What is heard.

  #hear(name, payload, more) {
    if (name === "session:joined") {
      this.#take(payload.snapshot, "joined");
    } else if (payload?.seq === undefined) {
      this.#write("whisper", { ev: name, p: payload });
    } else {
      const offset = typeof more.at(-1) === "string" ? { off: more.at(-1) } : {};
      this.#recorder.writeBody(this.name, "deliver", payload, { ev: name, ...offset });
      this.#follow(name, payload);
    }
    this.#lastName = name;
  }

  #take(snapshot, why) {
    this.#recorder.write(this.name, "snapshot", { why, p: snapshot });
    this.last = snapshot.seq;
    this.view = { round: snapshot.round, stories: snapshot.stories.map((one) => one.id), timer: snapshot.timer };
  }

  #follow(name, payload) {
    const isTwin = name === "player:left" && this.#lastName === "player:removed";
    if (isTwin || this.last === null || payload.seq <= this.last) return;
    const isHole = this.last + 1 < payload.seq;
    this.last = payload.seq;
    this.#look(name, payload);
    if (isHole) this.#sync("hole");
  }

  /** As much of the session as choosing the next move needs. */
  #look(name, payload) {
    const { view } = this;
    if (name === "game:reset" || name === "story:activated") view.round = payload.round;
    if (name === "story:created") view.stories.push(payload.story.id);
    if (name === "game:reset" && !view.stories.includes(payload.storyId)) view.stories.push(payload.storyId);
    if (name === "timer:updated") view.timer = payload.timer;
    if (name === "cards:revealed") view.round = { ...view.round, phase: "revealed" };
    if (name === "vote:submitted") view.round = { ...view.round, voteCount: payload.voteCount };
  }

  // Choices.

  #choose() {
    const { round, stories, timer } = this.view;
    const random = this.#random;
    const aim = { storyId: round.storyId, roundId: round.roundId };
    const vote = { ...aim, value: random.one(CARDS), ...(random.happens(0.3) && { confidence: 1 + random.below(5) }) };
    const unique = `${this.name}.${this.#commands + 1}`;
    const isRevealed = round.phase === "revealed";

    if (this.#spec.leads && random.happens(0.5)) {
      if (isRevealed) return ["game:reset", random.happens(0.1) ? { ...aim, newStory: { title: unique } } : aim];
      if (random.happens(0.4)) return ["cards:reveal", aim];
      if (random.happens(0.3)) return ["timer:start", { duration: 1, onExpire: random.happens(0.2) ? "reveal" : "none" }];
      if (timer?.isRunning && random.happens(0.3)) return ["timer:stop", {}];
      if (stories.length < 30 && random.happens(0.3)) return ["story:create", { title: unique }];
      if (random.happens(0.3)) return ["story:activate", { storyId: random.one(stories) }];
      return ["story:update", { title: unique }];
    }
    if (random.happens(0.08)) return ["player:update", { name: unique.slice(0, 50) }];
    if (random.happens(0.08)) return ["story:update", { title: unique }];
    if (random.happens(0.05)) return ["vote:retract", aim];
    if (random.happens(0.05)) return ["cards:reveal", aim];
    if (isRevealed && random.happens(0.3)) return ["game:reset", aim];
    return [random.happens(0.3) ? "vote:change" : "vote:submit", vote];
  }

  // Small things.

  #write(kind, fields) {
    return this.#recorder.write(this.name, kind, fields);
  }

  #sleep(ms) {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  async #until(isSo, withinMs = 30_000) {
    const late = this.#recorder.now() + withinMs * 1e6;
    while (!isSo()) {
      if (late < this.#recorder.now()) return false;
      await this.#sleep(20);
    }
    return true;
  }
}
