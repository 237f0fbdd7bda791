import { Ballot, type Choice } from "./ballot.js";
import { Clock } from "./clock.js";
import { CardroomError, closed, offline, timedOut } from "./error.js";
import type {
  Accepted,
  Answer,
  Answers,
  Confidence,
  Emoji,
  Events,
  Requests,
} from "./generated/catalogue.js";
import { requestId } from "./id.js";
import { Link, type Connection, type SocketSettings } from "./link.js";
import { fold, isAttended, known, mine, view, type Known, type TableState } from "./state.js";
import { Seats, type Seat, type StorageChoice } from "./storage.js";

export interface TableOptions {
  /** Where seats are remembered; `"local"` unless said. */
  storage?: StorageChoice;
  /**
   * How long a command may take, a lost connection included; 10 s unless said.
   * A vote has no end: after this time it is sent again over a new connection.
   */
  timeoutMs?: number;
  /** `["polling", "websocket"]` unless said: the first that works, then the best. */
  transports?: ("polling" | "websocket")[];
  /** The path of the server; `/socket.io/` unless said. */
  path?: string;
  /** More settings of `socket.io-client`. */
  socket?: SocketSettings;
}

/** A request without what the client adds itself. */
export type Body<Event extends keyof Requests> = Omit<Requests[Event], "requestId">;

export type CreateOptions = Body<"session:create">;

export type JoinOptions = ({ sessionId: string } | { joinCode: string }) & {
  /** Needed for a new seat; renames one's own. */
  name?: string;
  avatar?: string;
  isSpectator?: boolean;
  password?: string;
  /** The seat's token, from elsewhere than the storage; `null`: a new seat in any case. */
  token?: string | null;
};

export type EventName = keyof Events;
type Listener<Name extends EventName> = (payload: Events[Name]) => void;

interface Pending {
  readonly event: keyof Requests;
  readonly payload: Requests[keyof Requests];
  readonly resolve: (accepted: never) => void;
  readonly reject: (error: CardroomError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

type Entrance =
  | { event: "session:create"; payload: Requests["session:create"] }
  | { event: "session:join"; payload: Requests["session:join"]; isRemembered: boolean };

const TIMEOUT_MS = 10_000;
const CLOCK_EVERY_MS = 60_000;
const PROBE_TIMEOUT_MS = 4_000;
const SAVING_PAUSED_SECONDS = 5;
/** Nobody who leads is there: a little later than the server opens the table to everybody. */
const UNATTENDED_AFTER_MS = 31_000;

/** One seat at one table: its commands, and all that it may see. */
export class Table {
  readonly #link: Link;
  readonly #seats: Seats;
  readonly #clock = new Clock();
  readonly #ballot: Ballot;
  readonly #timeoutMs: number;
  readonly #listeners = new Set<() => void>();
  readonly #events = new Map<EventName, Set<(payload: never) => void>>();
  /** Commands whose outcome is not known, by their id, in order. */
  readonly #pending = new Map<string, Pending>();

  #entrance: Entrance | null = null;
  #arrival: { resolve(state: TableState): void; reject(error: CardroomError): void } | null = null;
  #isEntering = false;
  #known: Known | null = null;
  #state: TableState | null = null;
  #token: string | null = null;
  /** Events that wait for a snapshot after a gap. */
  #held: [keyof Events, { seq: number }][] | null = null;
  /** What is over with the connection. */
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #attendance: ReturnType<typeof setTimeout> | undefined;

  constructor(url?: string, options: TableOptions = {}) {
    const { storage, timeoutMs = TIMEOUT_MS, transports, path, socket } = options;
    this.#timeoutMs = timeoutMs;
    this.#seats = new Seats(storage);
    this.#ballot = new Ballot(
      (choice) => this.#send(choice),
      () => this.#isAtTable,
      () => this.#render(),
    );
    const settings = { ...socket, ...(transports && { transports }), ...(path && { path }) };
    this.#link = new Link(url, settings, {
      opened: (recovered) => this.#opened(recovered),
      lost: () => this.#lost(),
      probe: () => void this.#probe(),
      waits: () => this.#ballot.roundId !== null,
      event: (name, payload) => this.#hear(name as EventName, payload),
      changed: () => this.#tell(),
    });
  }

  /** What is known of the session; `null` before the first join. */
  get state(): TableState | null {
    return this.#state;
  }

  get connection(): Connection {
    return this.#link.connection;
  }

  /** The token of this seat. Whoever has it holds the seat. */
  get token(): string | null {
    return this.#token;
  }

  /** Tells of every change of `state` and `connection`; gives the way to stop it. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Tells of one kind of event, after `state` has taken it in. */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    const listeners = this.#events.get(name) ?? new Set();
    this.#events.set(name, listeners.add(listener as (payload: never) => void));
    return () => void listeners.delete(listener as (payload: never) => void);
  }

  /** Epoch milliseconds of the server. */
  serverNow(): number {
    return this.#clock.now();
  }

  /** Milliseconds that the round's timer has left. */
  remainingMs(): number {
    const timer = this.#state?.timer;
    if (!timer) return 0;
    return timer.endsAt === null ? timer.remainingMs : Math.max(0, timer.endsAt - this.serverNow());
  }

  /** The seat that is remembered for a session, by its id or join code. */
  remembered(session: string): Seat | null {
    return this.#seats.get(session);
  }

  forget(session: string): void {
    this.#seats.forget(session);
  }

  // Coming and going.

  /** Opens a session and joins it as its host. */
  create(options: CreateOptions): Promise<TableState> {
    return this.#arrive({ event: "session:create", payload: options });
  }

  /** Takes a seat, or one's own again if its token is remembered. */
  join(options: JoinOptions): Promise<TableState> {
    const { name, token, ...rest } = options;
    const sessionId = "sessionId" in options ? options.sessionId : options.joinCode;
    const remembered = token === undefined ? this.#seats.get(sessionId)?.token : undefined;
    const { avatar, isSpectator, password } = rest;
    const playerToken = token ?? remembered;
    const payload = { sessionId, playerName: name, avatar, isSpectator, password, playerToken, protocol: 1 };
    return this.#arrive({ event: "session:join", payload, isRemembered: remembered !== undefined });
  }

  /** Leaves the table; the seat can be taken again unless it is forgotten. */
  async leave({ forget = false } = {}): Promise<void> {
    const sessionId = this.#state?.sessionId;
    try {
      if (this.#isAtTable) await this.#ask("session:leave", {});
    } finally {
      if (forget && sessionId) this.#seats.forget(sessionId);
      this.close();
    }
  }

  /** Ends the connection and nothing else: the seat is kept. */
  close(): void {
    this.#end(null);
    this.#known = null;
    this.#render();
  }

  /** Another attempt to connect, now. */
  retryNow(): void {
    this.#link.retryNow();
  }

  // The round.

  /**
   * Votes, or votes anew. Shown at once (`state.myVote`), `saved` once the
   * server has it. Sent again after a lost connection or when the server asks
   * for patience, unless the round is another one by then.
   */
  vote(value: string, confidence?: Confidence): Promise<void> {
    return this.#choose(value, confidence);
  }

  retractVote(): Promise<void> {
    return this.#choose(null);
  }

  /** Turns the cards of the round that is shown. */
  reveal() {
    return this.#ask("cards:reveal", this.#aim());
  }

  cancelCountdown() {
    return this.#ask("countdown:cancel", {});
  }

  /** A new round, on the same story or a new one. */
  reset(newStory?: { title: string; description?: string }) {
    return this.#ask("game:reset", { ...this.#aim(), newStory });
  }

  /** Back to the revealed round before, shortly after a reset. */
  restoreRound(roundId: number) {
    return this.#ask("round:restore", { roundId });
  }

  // The stories.

  createStory(story: Body<"story:create">) {
    return this.#ask("story:create", story);
  }

  /** Edits a story, the current one unless said. */
  updateStory(story: Body<"story:update">) {
    return this.#ask("story:update", story);
  }

  importStories(stories: Body<"story:import">) {
    return this.#ask("story:import", stories);
  }

  deleteStory(storyId: string) {
    return this.#ask("story:delete", { storyId });
  }

  /** Moves a story before another one, or to the end. */
  reorderStories(storyId: string, beforeId?: string) {
    return this.#ask("story:reorder", { storyId, beforeId });
  }

  activateStory(storyId: string) {
    return this.#ask("story:activate", { storyId, roundId: this.#state?.round.roundId });
  }

  /** Sets the estimate of a story; `null` takes it back. */
  finalizeStory(storyId: string, value: string | null) {
    return this.#ask("story:finalize", { storyId, value });
  }

  // The timer.

  startTimer(options: Body<"timer:start"> = {}) {
    return this.#ask("timer:start", options);
  }

  stopTimer() {
    return this.#ask("timer:stop", {});
  }

  pauseTimer() {
    return this.#ask("timer:pause", {});
  }

  resumeTimer() {
    return this.#ask("timer:resume", {});
  }

  extendTimer(seconds: number) {
    return this.#ask("timer:extend", { seconds });
  }

  // People.

  /** One's own name, avatar, or whether one only watches. */
  updatePlayer(change: Body<"player:update">) {
    return this.#ask("player:update", change);
  }

  setSpectator(playerId: string, isSpectator: boolean) {
    return this.#ask("player:set-spectator", { playerId, isSpectator });
  }

  removePlayer(playerId: string, { ban }: { ban?: boolean } = {}) {
    return this.#ask("player:remove", { playerId, ban });
  }

  promote(playerId: string) {
    return this.#ask("player:promote", { playerId });
  }

  demote(playerId: string) {
    return this.#ask("player:demote", { playerId });
  }

  /** Makes somebody else the host. */
  transfer(playerId: string) {
    return this.#ask("player:transfer", { playerId });
  }

  /** Reminds one, or all who have not voted. */
  nudge(playerId?: string) {
    return this.#ask("player:nudge", { playerId });
  }

  setPresence(presence: Body<"presence:set">) {
    return this.#ask("presence:set", presence);
  }

  react(emoji: Emoji) {
    return this.#ask("reaction:send", { emoji });
  }

  // The session.

  configure(settings: Body<"session:configure">) {
    return this.#ask("session:configure", settings);
  }

  lock(locked: boolean) {
    return this.#ask("session:lock", { locked });
  }

  endSession() {
    return this.#ask("session:end", {});
  }

  /** Finished rounds, page by page backwards. */
  history(page: Body<"history:get"> = {}) {
    return this.#ask("history:get", page);
  }

  // How it works.

  get #isAtTable(): boolean {
    const { status } = this.#link.connection;
    return (status === "online" || status === "saving-paused") && this.#known !== null;
  }

  #aim() {
    const round = this.#state?.round;
    return { storyId: round?.storyId, roundId: round?.roundId };
  }

  #arrive(entrance: Entrance): Promise<TableState> {
    if (this.#link.connection.status !== "closed") this.close();
    this.#entrance = entrance;
    return new Promise((resolve, reject) => {
      this.#arrival = { resolve, reject };
      this.#link.start();
    });
  }

  #opened(recovered: boolean): void {
    if (!recovered || !this.#known) return this.#enter();
    this.#resume();
    // What waited for a snapshot is not told again.
    if (this.#held) this.#sync();
  }

  /** Joins, for the first time or again. */
  #enter(): void {
    const entrance = this.#entrance;
    if (!entrance || this.#isEntering || !this.#link.socket.connected) return;
    this.#isEntering = true;
    const { socket } = this.#link;
    const engine = socket.id;
    const inTime = this.#expect(this.#timeoutMs);
    const done = (answer: Answer<"session:join">) => {
      inTime();
      // Of a connection that is gone.
      if (socket.id !== engine || this.#entrance !== entrance) return;
      this.#isEntering = false;
      if (answer.ok) this.#entered(answer);
      else this.#turnedAway(entrance, new CardroomError(answer.error));
    };
    if (entrance.event === "session:create") socket.emit("session:create", entrance.payload, done);
    else socket.emit("session:join", entrance.payload, done);
  }

  #entered({ playerToken, snapshot }: Accepted<Answers["session:join"]>): void {
    const { sessionId, code, settings, you } = snapshot;
    this.#token = playerToken;
    const usedAt = Date.now();
    const seat = { token: playerToken, sessionId, code, playerId: you.playerId, sessionName: settings.name, usedAt };
    this.#seats.keep(seat);
    // From now on it is this seat that comes back, as it is by then.
    const payload = { sessionId, playerToken, protocol: 1 };
    this.#entrance = { event: "session:join", payload, isRemembered: true };
    this.#clock.hear(snapshot.serverTime);
    this.#held = null;
    this.#known = known(snapshot);
    this.#attend(this.#known);
    this.#resume();
    this.#arrival?.resolve(this.#state!);
    this.#arrival = null;
  }

  #turnedAway(entrance: Entrance, error: CardroomError): void {
    // Whoever waits at the door is told to slow down; a seat comes back by itself.
    const isTold = this.#arrival !== null && error.code === "RATE_LIMITED";
    if (error.isTemporary && !isTold) return this.#link.retry(error);
    if (USELESS.has(error.code)) {
      const { sessionId } = entrance.payload as Requests["session:join"];
      if (sessionId) this.#seats.forget(sessionId);
      // What was remembered is worth nothing; the name is worth a new seat.
      const isToken = error.code === "INVALID_PLAYER_TOKEN" && entrance.event === "session:join";
      if (isToken && entrance.isRemembered && entrance.payload.playerName) {
        const payload = { ...entrance.payload, playerToken: undefined };
        this.#entrance = { event: "session:join", payload, isRemembered: false };
        return this.#enter();
      }
    }
    this.#end(error);
  }

  /** At the table (again): what is open is said again. */
  #resume(): void {
    this.#link.settle();
    this.#render();
    for (const pending of this.#pending.values()) this.#emit(pending);
    this.#ballot.pump();
    void this.#measure();
    clearInterval(this.#heartbeat);
    this.#heartbeat = setInterval(() => void this.#measure(), CLOCK_EVERY_MS);
    // Node shall not live for the sake of a clock.
    (this.#heartbeat as { unref?(): void }).unref?.();
  }

  #lost(): void {
    this.#isEntering = false;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    clearInterval(this.#heartbeat);
    this.#ballot.interrupt();
  }

  /** Does something later, if the connection is the same; gives the way to stop it. */
  #later(delayMs: number, act: () => void): () => void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, delayMs);
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer);
      this.#timers.delete(timer);
    };
  }

  /** A connection on which no answer comes in time is no good; gives the way to say that it came. */
  #expect(timeoutMs: number): () => void {
    return this.#later(timeoutMs, () => this.#link.drop());
  }

  /** For good; `error` says why, if it was not our wish. */
  #end(error: CardroomError | null): void {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#attendance);
    this.#entrance = null;
    this.#isEntering = false;
    this.#held = null;
    this.#link.stop(error);
    const reason = error ?? closed();
    this.#arrival?.reject(reason);
    this.#arrival = null;
    this.#ballot.discard(reason);
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(reason);
  }

  /** Sends a command and waits for what becomes of it. */
  #ask<Event extends keyof Requests>(event: Event, body: Body<Event>): Promise<Accepted<Answers[Event]>> {
    if (!this.#isAtTable) return Promise.reject(offline());
    const id = requestId();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#take(id)?.reject(timedOut()), this.#timeoutMs);
      const payload = { ...body, requestId: id } as Requests[Event];
      const pending: Pending = { event, payload, resolve, reject, timer };
      this.#pending.set(id, pending);
      this.#emit(pending);
    });
  }

  #take(id: string): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    clearTimeout(pending?.timer);
    return pending;
  }

  #emit({ event, payload }: Pending): void {
    const { requestId } = payload;
    (this.#link.socket as UntypedSocket).emit(event, payload, (answer: Answer<keyof Requests>) => {
      if (!requestId || !this.#pending.has(requestId)) return;
      if (answer.ok) {
        if (!READS.has(event)) this.#link.resumeSaving();
        return this.#take(requestId)?.resolve(answer as never);
      }
      const error = new CardroomError(answer.error);
      // The server has forgotten this socket; the command waits for the seat.
      if (error.code === "NOT_JOINED") return this.#enter();
      this.#heed(error);
      this.#take(requestId)?.reject(error);
    });
  }

  #heed(error: CardroomError): void {
    if (error.code === "STATE_UNAVAILABLE") this.#link.pauseSaving(error.retryAfter ?? SAVING_PAUSED_SECONDS);
  }

  #choose(value: string | null, confidence?: Confidence): Promise<void> {
    const round = this.#state?.round;
    if (!round) return Promise.reject(offline());
    return this.#ballot.cast({ storyId: round.storyId, roundId: round.roundId, value, confidence });
  }

  #send({ storyId, roundId, value, confidence, requestId }: Choice): Promise<void> {
    const has = this.#known?.snapshot.you.vote !== undefined;
    const aim = { storyId, roundId, requestId };
    return new Promise((resolve, reject) => {
      let inTime = this.#expect(this.#timeoutMs);
      const done = (answer: Answer<"vote:submit"> | Answer<"vote:retract">) => {
        inTime();
        if (answer.ok) {
          this.#link.resumeSaving();
          if (this.#known) this.#known = mine(this.#known, { storyId, roundId, value, confidence });
          return resolve();
        }
        const error = new CardroomError(answer.error);
        this.#heed(error);
        // The vote was dropped meanwhile, and is a first one again.
        if (error.code === "NO_VOTE_TO_CHANGE" && value !== null) {
          const again = { ...aim, requestId: `${requestId}-1`, value, confidence };
          inTime = this.#expect(this.#timeoutMs);
          return this.#link.socket.emit("vote:submit", again, done);
        }
        if (error.code === "NOT_JOINED") {
          this.#ballot.interrupt();
          return this.#enter();
        }
        reject(error);
      };
      const { socket } = this.#link;
      if (value === null) socket.emit("vote:retract", aim, done);
      else socket.emit(has ? "vote:change" : "vote:submit", { ...aim, value, confidence }, done);
    });
  }

  #hear(name: EventName, payload: unknown): void {
    if (this.#known) {
      const { seq } = payload as { seq?: unknown };
      if (typeof seq === "number") this.#follow(name, payload as { seq: number });
      else if (name === "vote:mine") this.#learn(mine(this.#known, payload as Events["vote:mine"]));
    }
    for (const listener of [...(this.#events.get(name) ?? [])]) call(() => listener(payload as never));
    if (name === "session:error") this.#complain(payload as Events["session:error"]);
    if (name === "session:ended" && (payload as Events["session:ended"]).reason === "expired") {
      this.#end(new CardroomError({ code: "SESSION_EXPIRED", message: "This session has expired" }));
    }
  }

  /** What was told to all: the next one counts, an old one is known, a gap is repaired. */
  #follow(name: EventName, payload: { seq: number }): void {
    const before = this.#known!;
    if (this.#held) {
      this.#held.push([name, payload]);
      return;
    }
    if (payload.seq <= before.snapshot.seq) return;
    if (before.snapshot.seq + 1 < payload.seq) {
      this.#held = [[name, payload]];
      return this.#sync();
    }
    const { serverTime } = payload as unknown as { serverTime: number };
    this.#clock.hear(serverTime);
    const after = fold(before, name, payload as never);
    this.#learn(after);
    this.#attend(after);
    const { round, you } = after.snapshot;
    // A round that comes back may have a vote of ours that only a snapshot tells.
    const isParked = name === "story:activated" && round.votedPlayerIds.includes(you.playerId);
    const isRestored = name === "cards:revealed" && (payload as Partial<Events["cards:revealed"]>).restored;
    if (isParked || isRestored) this.#sync();
  }

  #sync(): void {
    this.#held ??= [];
    const held = this.#held;
    const inTime = this.#expect(this.#timeoutMs);
    this.#link.socket.emit("session:sync", { lastSeq: this.#known?.snapshot.seq }, (answer) => {
      inTime();
      if (this.#held !== held) return; // another snapshot was faster
      if (answer.ok) {
        this.#held = null;
        this.#learn(known(answer.snapshot));
        this.#attend(this.#known!);
        for (const [name, payload] of held) this.#follow(name, payload);
      } else if (answer.error.code === "NOT_JOINED") {
        this.#held = null;
        this.#enter();
      } else {
        this.#later((answer.error.retryAfter ?? 1) * 1_000, () => this.#held === held && this.#sync());
      }
    });
  }

  /** When nobody who leads is there, everybody may soon; only a snapshot tells. */
  #attend({ snapshot, isUnattended }: Known): void {
    if (isAttended(snapshot) || isUnattended) {
      clearTimeout(this.#attendance);
      this.#attendance = undefined;
      return;
    }
    this.#attendance ??= setTimeout(() => {
      this.#attendance = undefined;
      if (this.#isAtTable) this.#sync();
    }, UNATTENDED_AFTER_MS);
    (this.#attendance as { unref?(): void }).unref?.();
  }

  #complain({ code, error, details }: Events["session:error"]): void {
    if (code !== "PLAYER_REMOVED" || !this.#known) return;
    this.#seats.forget(this.#known.snapshot.sessionId);
    this.#end(new CardroomError({ code, message: error, details }));
  }

  async #measure(): Promise<void> {
    const sentAt = Date.now();
    try {
      const { serverTime } = await this.#beat(sentAt);
      this.#clock.measure(sentAt, serverTime);
    } catch {
      // Another beat will tell.
    }
  }

  /** Whether the other end still answers, after the device may have slept. */
  async #probe(): Promise<void> {
    if (!this.#isAtTable) return;
    const inTime = this.#expect(PROBE_TIMEOUT_MS);
    await this.#measure();
    inTime();
  }

  #beat(timestamp: number): Promise<Answers["heartbeat"]> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(timedOut()), PROBE_TIMEOUT_MS);
      this.#link.socket.emit("heartbeat", { timestamp }, (answer) => {
        clearTimeout(late);
        if (answer.ok) return resolve(answer);
        // Recovered, or so it seemed.
        if (answer.error.code === "NOT_JOINED" && this.#isAtTable) this.#enter();
        reject(new CardroomError(answer.error));
      });
    });
  }

  #learn(next: Known): void {
    if (next === this.#known) return;
    this.#known = next;
    const roundId = this.#ballot.roundId;
    if (roundId !== null && roundId !== next.snapshot.round.roundId) {
      const message = "The round has changed";
      this.#ballot.discard(new CardroomError({ code: "STALE_ROUND", message }));
    }
    this.#render();
  }

  #render(): void {
    this.#state = this.#known && view(this.#known, this.#ballot.shown(this.#known.snapshot.you.vote));
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) call(listener);
  }
}

/** After these a remembered seat is worth nothing. */
const USELESS = new Set<string>(["INVALID_PLAYER_TOKEN", "PLAYER_REMOVED", "SESSION_NOT_FOUND", "SESSION_EXPIRED"]);

/** What the server answers without keeping anything. */
const READS = new Set<keyof Requests>(["history:get", "session:sync", "heartbeat", "session:leave"]);

/** A listener that throws is its own trouble. */
function call(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    setTimeout(() => {
      throw error;
    });
  }
}

interface UntypedSocket {
  emit(event: string, payload: unknown, done: (answer: Answer<keyof Requests>) => void): void;
}
