// A random session in which every card is a sentinel: ten of them per voter,
// each cast at most once, so that a card that is seen somewhere names its
// voter and its round.

import { Client, Tape, TRANSPORTS } from "./client.mjs";
import { Rest } from "./rest.mjs";

const VOTERS = ["A", "B", "C"];
const CARDS_PER_VOTER = 10;
const LATE_MAX = 3;

/** Repeatable random numbers (mulberry32). */
export class Dice {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit) {
    return Math.floor(this.next() * limit);
  }

  of(list) {
    return list[this.below(list.length)];
  }

  word(length) {
    return Array.from({ length }, () => this.of("BCDFGHJKLMNPQRSTVWXZ")).join("");
  }
}

export class Schedule {
  tape = new Tape();
  /** Stream → the voter whom it belongs to. */
  owners = new Map();
  /** Sentinel → the voter who alone knows it. */
  cards = new Map();
  /** Sentinel → the `seq` with which it became public. */
  revealed = new Map();
  tokens = new Set();
  casts = 0;
  commands = 0;
  recovered = 0;
  /** Story → voter → what lay on the table from which `seq` on: `{seq, card}`. */
  #standing = new Map();
  #published = [];
  #clients = [];

  constructor(seed, url) {
    this.dice = new Dice(seed);
    this.url = url;
  }

  async run(steps) {
    await this.#seat();
    for (let step = 0; step < steps && !this.isOver; step += 1) {
      const [, command] = this.#draw();
      this.commands += 1;
      await command();
      await this.#settle();
    }
    await Promise.all(this.#clients.map((client) => client.finish()));
    for (const client of this.#clients) {
      if (client.joined) this.tokens.add(client.token);
      client.close();
    }
  }

  async #seat() {
    const { dice } = this;
    const unused = new Map(VOTERS.map((name) => [
      name, Array.from({ length: CARDS_PER_VOTER }, () => `${name}${dice.word(9)}`),
    ]));
    for (const [name, list] of unused) for (const card of list) this.cards.set(card, name);
    this.labels = [...this.cards.keys()];
    this.hanna = this.#client("hanna", undefined);
    await this.hanna.connect();
    const joined = this.hanna.next("session:joined");
    await this.hanna.ok("session:create", {
      name: "Canaries", playerName: "Hanna", deck: { name: "Canaries", cards: this.labels },
    });
    await joined;
    this.sessionId = this.hanna.joined.sessionId;
    this.hanna.socket.on("cards:revealed", (revealed) => this.#published.push(revealed));
    // So that everybody who may vote can have voted.
    await this.hanna.ok("player:update", { isSpectator: true });
    this.voters = [];
    for (const name of VOTERS) {
      const tab = this.#client(name, name, { sessionId: this.sessionId, playerName: name });
      await tab.connectAndJoin();
      this.voters.push({ name, tabs: [tab], unused: unused.get(name), isSpectator: false });
    }
    await this.#settle();
  }

  #client(stream, owner, auth) {
    const transport = this.dice.of(Object.keys(TRANSPORTS));
    const client = new Client(this.tape, stream, this.url, transport, auth);
    if (owner !== undefined) this.owners.set(stream, owner);
    this.#clients.push(client);
    return client;
  }

  /** The host has seen all that the last command led to. */
  async #settle() {
    const before = this.now;
    const { snapshot } = await this.hanna.ok("session:sync", {});
    this.now = snapshot;
    // First what was shown: a countdown may end right before a new round.
    for (const { storyId, seq } of this.#published.splice(0)) {
      for (const lain of this.#standing.get(storyId)?.values() ?? []) {
        // What lay there then: it may have been changed since.
        const { card } = lain.findLast((one) => one.seq <= seq) ?? {};
        if (card !== undefined && !this.revealed.has(card)) this.revealed.set(card, seq);
      }
    }
    if (before) this.#forget(before.round, snapshot.round);
  }

  /** A new round on the same story has destroyed the votes, and a revealed
   * one is archived when it is left; any other is parked with its votes. */
  #forget(before, now) {
    const isParked = before.storyId !== now.storyId && before.phase !== "revealed";
    if (before.roundId !== now.roundId && !isParked) this.#standing.delete(before.storyId);
  }

  #draw() {
    const weights = this.#commands();
    let at = this.dice.below(weights.reduce((sum, [weight]) => sum + weight, 0));
    return weights.find(([weight]) => (at -= weight) < 0);
  }

  /** What may happen, and how often. Refusals are part of it. */
  #commands() {
    const { dice, hanna, now } = this;
    const storyId = now.currentStory.id;
    const anybody = () => dice.of([hanna, ...this.voters.map(({ tabs }) => tabs[0]), ...this.late]);
    return [
      [36, () => this.#vote("vote:submit", { storyId })],
      [14, () => this.#vote("vote:change", { storyId })],
      [3, () => this.#vote("vote:submit", { storyId, roundId: now.round.roundId + 1 })],
      [2, () => this.#vote("vote:submit", { storyId: dice.of(now.stories).id })],
      [2, () => this.#vote("vote:submit", { storyId, confidence: 9 })],
      [3, () => this.#vote("vote:change", { storyId, requestId: "the-same" })],
      [5, () => this.#retract(storyId)],
      [6, () => hanna.ask("cards:reveal", {})],
      [4, () => hanna.ask("game:reset", {})],
      [2, async () => {
        await hanna.ok("game:reset", { newStory: { title: dice.word(5) } });
        this.#standing.delete(storyId);
      }],
      [2, () => hanna.ask("story:create", { title: dice.word(5) })],
      [8, () => hanna.ask("story:activate", { storyId: dice.of(now.stories).id })],
      [2, () => hanna.ask("story:finalize", { storyId, value: "L" })],
      [3, () => hanna.ask("round:restore", { roundId: Math.max(1, now.round.roundId - 1) })],
      [6, () => hanna.ask("session:configure", dice.of([
        { autoReveal: true, revealCountdownMs: 0 }, { autoReveal: true, revealCountdownMs: 10_000 },
        { autoReveal: false }, { allowChangeAfterReveal: dice.next() < 0.5 },
        { anonymous: dice.next() < 0.5 }, { confidence: dice.next() < 0.7 },
        { listPasses: dice.next() < 0.5 },
      ]))],
      [1, () => hanna.ask("session:configure",
        { deck: { name: dice.word(4), cards: this.labels }, force: true })],
      [2, () => hanna.ask("countdown:cancel", {})],
      [4, () => this.#turnSpectator()],
      [3, () => this.#openTab()],
      [4, () => this.#comeBack()],
      [2, () => this.#comeLate()],
      [1, () => this.#remove()],
      [3, () => anybody().ask("session:sync", {})],
      [3, () => anybody().ask("history:get", {})],
      [2, () => this.#callRest(anybody())],
      [1, () => anybody().ask("vote:submit", { storyId, value: "no such" })],
      [0.4, async () => {
        await hanna.ok("session:end", {});
        for (const { tabs } of this.voters) await tabs[0].ask("session:sync", {});
        await hanna.ok("history:get", {});
        await this.#callRest(hanna);
        this.isOver = true;
      }],
    ];
  }

  late = [];

  async #vote(event, payload, voter = this.dice.of(this.voters)) {
    const value = voter.unused.pop();
    if (value === undefined) return;
    this.casts += 1;
    const tab = this.dice.of(voter.tabs);
    const confidence = this.dice.next() < 0.5 ? 1 + this.dice.below(5) : undefined;
    const ack = await tab.ask(event, { confidence, ...payload, value });
    // A replayed answer is about an earlier card.
    if (ack.ok && ack.value === value) {
      this.#lay(ack, voter, value);
      // After the reveal a change is shown at once; the next one may follow
      // before anybody looks.
      if (this.now.round.phase === "revealed") this.revealed.set(value, ack.seq);
    }
  }

  async #callRest(member) {
    const { sessionId, now: { code, seq } } = this;
    const stream = `${member.name}, REST`;
    if (this.owners.has(member.name)) this.owners.set(stream, this.owners.get(member.name));
    // Nothing happens meanwhile: the session stands where it did.
    const note = `"seq":${seq} `;
    await new Rest(this.tape, this.url).look(stream, { sessionId, code, member, note });
  }

  async #retract(storyId) {
    const voter = this.dice.of(this.voters);
    const ack = await voter.tabs[0].ask("vote:retract", { storyId });
    if (ack.ok) this.#lay({ storyId: this.now.round.storyId, seq: ack.seq }, voter);
  }

  async #turnSpectator() {
    const voter = this.dice.of(this.voters);
    voter.isSpectator = !voter.isSpectator;
    const { seq } = await voter.tabs[0].ok("player:update", { isSpectator: voter.isSpectator });
    if (voter.isSpectator) this.#lay({ storyId: this.now.round.storyId, seq }, voter);
  }

  /** What a voter has on a story's table from `seq` on: a card, or none. */
  #lay({ storyId, seq }, voter, card) {
    const table = this.#standing.get(storyId) ?? new Map();
    this.#standing.set(storyId, table);
    table.set(voter.name, [...(table.get(voter.name) ?? []), { seq, card }]);
  }

  async #openTab() {
    const { name, tabs } = this.dice.of(this.voters);
    const stream = `${name}, tab ${tabs.length + 1}`;
    if (tabs.length > 2) return;
    const auth = { sessionId: this.sessionId, playerToken: tabs[0].token };
    tabs.push(await this.#client(stream, name, auth).connectAndJoin());
  }

  async #comeBack() {
    const tab = this.dice.of(this.dice.of(this.voters).tabs);
    this.tokens.add(tab.token);
    tab.auth = { sessionId: this.sessionId, playerToken: tab.token };
    await tab.lose();
    if (this.dice.next() < 0.3) tab.forget();
    // What happens meanwhile is replayed.
    const others = this.voters.filter(({ tabs }) => !tabs.includes(tab));
    for (let count = this.dice.below(4); 0 < count && 0 < others.length; count -= 1) {
      const event = this.dice.of(["vote:submit", "vote:change"]);
      await this.#vote(event, { storyId: this.now.currentStory.id }, this.dice.of(others));
    }
    if (this.dice.next() < 0.3) await this.hanna.ask("cards:reveal", {});
    await tab.connectAndJoin();
    this.recovered += tab.socket.recovered ? 1 : 0;
  }

  async #comeLate() {
    if (this.late.length === LATE_MAX) return;
    const name = `Late ${this.late.length + 1}`;
    const auth = { sessionId: this.sessionId, playerName: name, isSpectator: true };
    this.late.push(await this.#client(name, undefined, auth).connectAndJoin());
  }

  async #remove() {
    if (this.voters.length < 3) return;
    const [voter] = this.voters.splice(this.dice.below(this.voters.length), 1);
    const gone = Promise.all(voter.tabs.map((tab) => tab.next("disconnect")));
    const { seq } = await this.hanna.ok("player:remove", { playerId: voter.tabs[0].playerId });
    await gone;
    this.#lay({ storyId: this.now.round.storyId, seq }, voter);
  }
}
