// An unmodified `socket.io-client` that loses its connection and comes back,
// and writes down all that it hears, across connections.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { io } from "socket.io-client";

import { TRANSPORTS } from "./support/client.mjs";
import { putAway, steady } from "./support/engine.mjs";
import { Front } from "./support/front.mjs";

export { TRANSPORTS };

const WAIT_MS = 30_000;

/** What a client that only listens may not hear: its own answers. */
const UNNUMBERED = new Set(["session:joined", "heartbeat:response", "rate:limit", "connection:error"]);

export class Traveller {
  /** `{name, payload, offset}`, in order. */
  heard = [];
  /** Gaps and doubles in `seq`. */
  problems = [];
  /** One per connection: `{id, recovered, before}`; `before` were heard with it. */
  connects = [];
  lastSeq = null;
  #waiting = new Set();
  #read = 0;

  /** Each has a front of its own, so that its connection alone can break. */
  static async open(url, transport, { auth, ...options } = {}) {
    const traveller = new Traveller();
    traveller.front = await Front.open(url);
    traveller.auth = auth;
    traveller.socket = io(traveller.front.url, {
      forceNew: true,
      reconnectionDelay: 20,
      reconnectionDelayMax: 200,
      ...TRANSPORTS[transport],
      auth: (give) => give(traveller.auth ?? {}),
      ...options,
    });
    traveller.#listen();
    await traveller.connected();
    if (transport === "upgrade") await traveller.#upgraded();
    return traveller;
  }

  get id() {
    return this.socket.id;
  }

  get player() {
    return this.joined.player.id;
  }

  get token() {
    return this.joined.playerToken;
  }

  async connected(count = 1) {
    await this.until(() => count <= this.connects.length, `connection ${count}`);
    return this.connects[count - 1];
  }

  /** Loses the connection in one of the front's ways; the client may not come back before `meanwhile` is done. */
  async lose(how, meanwhile = () => {}) {
    await steady(this.socket.io.engine);
    const target = this.front.target;
    this.front.target = "http://127.0.0.1:1";
    const lost = new Promise((resolve) => this.socket.once("disconnect", resolve));
    this.front[how]();
    const reason = await lost;
    await meanwhile(this);
    this.front.target = target;
    const count = this.connects.length + 1;
    return { reason, ...(await this.connected(count)) };
  }

  ask(event, payload = {}) {
    return this.socket.timeout(WAIT_MS).emitWithAck(event, payload);
  }

  async do(event, payload) {
    const ack = await this.ask(event, payload);
    assert.equal(ack.ok, true, `${event} was refused: ${JSON.stringify(ack.error)}`);
    return ack;
  }

  /** What was heard since the last call. */
  unread() {
    const unread = this.heard.slice(this.#read);
    this.#read = this.heard.length;
    return unread;
  }

  async next(name, from = 0) {
    const found = () => this.heard.slice(from).find((one) => one.name === name);
    await this.until(() => found() !== undefined, name);
    return found().payload;
  }

  until(isThere, what) {
    if (isThere()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const wait = { isThere, resolve: () => (clearTimeout(late), resolve()) };
      const late = setTimeout(() => {
        this.#waiting.delete(wait);
        const names = this.heard.map(({ name }) => name).join(" ");
        reject(new Error(`no ${what}; heard: ${names}`));
      }, WAIT_MS);
      this.#waiting.add(wait);
    });
  }

  close() {
    this.socket.disconnect();
    putAway(this.socket.io.engine);
    this.front.close();
  }

  #listen() {
    this.socket.onAny((name, payload, offset, ...more) => {
      assert.equal(more.length, 0, `${name} has too many arguments`);
      this.heard.push({ name, payload, offset });
      this.#count(name, payload);
      this.#happened();
    });
    this.socket.on("connect", () => {
      const { id, recovered } = this.socket;
      if (!recovered) this.lastSeq = null;
      this.connects.push({ id, recovered: recovered === true, before: this.heard.length });
      this.#happened();
    });
  }

  #upgraded() {
    const { engine } = this.socket.io;
    if (engine.transport.name === "websocket") return Promise.resolve();
    return new Promise((resolve) => engine.once("upgrade", resolve));
  }

  #count(name, payload) {
    if (name === "session:joined") {
      this.joined = payload;
      this.lastSeq = payload.snapshot.seq;
    } else if (payload?.seq !== undefined && !UNNUMBERED.has(name)) {
      const isTwin = name === "player:left" && payload.reason === "removed";
      const expected = isTwin ? this.lastSeq : this.lastSeq + 1;
      if (payload.seq !== expected) this.problems.push(`${this.joined?.player.name}, connection ${this.connects.length}: ${name} with seq ${payload.seq} after ${this.lastSeq}`);
      this.lastSeq = payload.seq;
    }
  }

  #happened() {
    for (const wait of [...this.#waiting]) {
      if (!wait.isThere()) continue;
      this.#waiting.delete(wait);
      wait.resolve();
    }
  }
}

/** A session with a host, and whoever else is asked for. */
export class Table {
  travellers = [];

  constructor(transport) {
    this.transport = transport;
  }

  async meet(url, options) {
    const traveller = await Traveller.open(url, this.transport, options);
    this.travellers.push(traveller);
    return traveller;
  }

  async found(url, more = {}) {
    this.host = await this.meet(url);
    const ack = await this.host.do("session:create", { name: "Planning", playerName: "Hanna", ...more });
    this.id = ack.sessionId;
    this.story = ack.currentStory.id;
    await this.host.next("session:joined");
    return this.host;
  }

  async seat(url, playerName, more = {}) {
    const traveller = await this.meet(url);
    await traveller.do("session:join", { sessionId: this.id, playerName, ...more });
    await traveller.next("session:joined");
    return traveller;
  }

  vote(value) {
    return { storyId: this.story, value };
  }

  async quiet() {
    for (const traveller of this.travellers.filter(({ joined }) => joined)) {
      await traveller.do("session:sync");
      traveller.unread();
    }
  }

  close() {
    for (const traveller of this.travellers) traveller.close();
    for (const traveller of this.travellers) assert.deepEqual(traveller.problems, []);
  }
}

/** The story `tell`, once for each transport, at a table of its own. */
export function overEveryTransport(title, tableOver, tell) {
  describe(title, { concurrency: true }, () => {
    for (const transport of Object.keys(TRANSPORTS)) {
      it(`over ${transport}`, async () => {
        const table = tableOver(transport);
        try {
          await tell(table);
        } finally {
          table.close();
        }
      });
    }
  });
}

/** Presence is told after a moment, or not at all; it is nobody's subject here. */
export const names = (heard) =>
  heard.map(({ name }) => name).filter((name) => name !== "player:status_changed");
