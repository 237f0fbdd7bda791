// A `socket.io-client` that writes down all it hears and keeps the client rule:
// `seq` is the last one + 1, in broadcasts, acknowledgements and snapshots.

import assert from "node:assert/strict";
import { io } from "socket.io-client";

import { breakOff, putAway } from "./engine.mjs";
import { Mirror } from "./mirror.mjs";

/** The ways a client may travel. */
export const TRANSPORTS = {
  websocket: { transports: ["websocket"] },
  polling: { transports: ["polling"] },
  upgrade: {},
};

/** Generous: no test is about speed. */
const WAIT_MS = 30_000;

export class Client {
  /** All events, in order; `read` ones have been asked for by the test. */
  #heard = [];
  #waiting = new Set();
  #lastName = null;
  /** Where the client stood when it lost its connection. */
  #seqBefore = null;

  constructor(url, transport, options = {}) {
    this.problems = [];
    this.lastSeq = null;
    this.mirror = null;
    this.socket = io(url, { forceNew: true, reconnection: false, ...TRANSPORTS[transport], ...options });
    this.socket.onAny((name, payload) => this.#hear(name, payload));
    this.socket.on("connect", () => {
      // What was missed came before this, if the socket is the same.
      if (this.socket.recovered) this.lastSeq ??= this.#seqBefore;
      this.#seqBefore = null;
      this.#hear("(connect)", {});
    });
    this.socket.on("connect_error", (error) => this.#hear("(connect_error)", error));
    this.socket.on("disconnect", (reason) => {
      this.#seqBefore = this.lastSeq;
      this.lastSeq = null;
      this.#hear("(disconnect)", { reason });
    });
  }

  connected() {
    return this.socket.connected ? Promise.resolve() : this.next("(connect)").then(() => {});
  }

  get id() {
    return this.joined.player.id;
  }

  /** Sends and resolves with the acknowledgement, whatever it is. */
  ask(event, ...payload) {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no acknowledgement of ${event}`)), WAIT_MS);
      // With the option `retries` the client puts an error before the answer.
      this.socket.emit(event, ...payload, (...answer) => {
        clearTimeout(late);
        const ack = answer.at(-1);
        if (ack === undefined || answer[0] instanceof Error) return reject(answer[0]);
        if (ack.ok) this.#checkAck(event, ack);
        resolve(ack);
      });
    });
  }

  /** Sends and expects success. */
  async do(event, payload = {}) {
    const ack = await this.ask(event, payload);
    assert.equal(ack.ok, true, `${event} was refused: ${JSON.stringify(ack.error)}`);
    return ack;
  }

  /** Sends and expects this refusal; resolves with its `error`. */
  async refused(code, event, payload = {}) {
    const ack = await this.ask(event, payload);
    assert.equal(ack.ok, false, `${event} was accepted instead of ${code}`);
    assert.equal(ack.error.code, code, `${event}: ${JSON.stringify(ack.error)}`);
    assert.ok(ack.error.message.length > 0);
    return ack.error;
  }

  /** Sends without asking for an acknowledgement, as old clients do. */
  tell(event, ...payload) {
    this.socket.emit(event, ...payload);
  }

  /** The socket is in no session any more: it has left without asking for an answer. */
  forget() {
    this.lastSeq = null;
  }

  /** The next unread event of that name (that `matches`); waits for it. */
  next(name, matches = () => true, withinMs = WAIT_MS) {
    const found = this.#heard.find((one) => !one.isRead && one.name === name && matches(one.payload));
    if (found) {
      found.isRead = true;
      return Promise.resolve(found.payload);
    }
    return new Promise((resolve, reject) => {
      const wait = { name, matches, resolve };
      const late = setTimeout(() => {
        this.#waiting.delete(wait);
        const heard = this.#heard.map((one) => one.name + (one.isRead ? "" : "*")).join(" ");
        reject(new Error(`no ${name} came; heard: ${heard}`));
      }, withinMs);
      wait.late = late;
      this.#waiting.add(wait);
    });
  }

  /** Unread events since the last call, oldest first; they count as read. */
  unread(name) {
    const found = this.#heard.filter((one) => !one.isRead && (!name || one.name === name));
    for (const one of found) one.isRead = true;
    return found.map(({ name, payload }) => ({ name, payload }));
  }

  /** All that was ever heard. */
  heard(name) {
    return this.#heard.filter((one) => !name || one.name === name).map((one) => one.payload);
  }

  /**
   * Everything the session said before this has arrived after it: the answer
   * passes through the session, and order is kept. Also compares what the
   * client made of the broadcasts with what the server says.
   */
  async settle() {
    return (await this.do("session:sync", {})).snapshot;
  }

  /** The names of the unread events once everything has arrived. */
  async news() {
    await this.settle();
    return this.unread().map((one) => one.name).filter((name) => !name.startsWith("("));
  }

  close() {
    for (const wait of this.#waiting) clearTimeout(wait.late);
    this.socket.disconnect();
    putAway(this.socket.io.engine);
  }

  /** The connection breaks without a word to the server's game. */
  drop() {
    breakOff(this.socket.io.engine);
  }

  #hear(name, payload) {
    this.#checkSeq(name, payload);
    this.#lastName = name;
    const one = { name, payload, isRead: false };
    this.#heard.push(one);
    for (const wait of this.#waiting) {
      if (wait.name === name && wait.matches(payload)) {
        one.isRead = true;
        this.#waiting.delete(wait);
        clearTimeout(wait.late);
        wait.resolve(payload);
        return;
      }
    }
  }

  #checkSeq(name, payload) {
    if (name === "session:joined") {
      this.joined = payload;
      this.#checkSnapshot(name, payload.snapshot);
      this.mirror = new Mirror(payload.snapshot);
      this.lastSeq = payload.snapshot.seq;
      return;
    }
    if (payload?.seq === undefined) {
      this.mirror?.whisper(name, payload);
      return;
    }
    this.lastSeq ??= this.#seqBefore;
    const isTwin = name === "player:left" && this.#lastName === "player:removed";
    const expected = isTwin ? this.lastSeq : this.lastSeq + 1;
    if (this.lastSeq === null) this.problems.push(`${name} came to a socket in no session`);
    else if (payload.seq !== expected) this.problems.push(`${name}: seq ${payload.seq} after ${this.lastSeq}`);
    if (!Number.isInteger(payload.serverTime)) this.problems.push(`${name} has no serverTime`);
    this.lastSeq = payload.seq;
    this.mirror?.apply(name, payload);
  }

  #checkSnapshot(name, snapshot) {
    if (this.lastSeq !== null && snapshot.seq !== this.lastSeq) {
      this.problems.push(`${name}: a snapshot of ${snapshot.seq} at ${this.lastSeq}`);
    }
  }

  #checkAck(event, ack) {
    if (event === "session:leave") {
      this.lastSeq = null;
      return;
    }
    if (ack.snapshot) this.#checkSnapshot(event, ack.snapshot);
    // Here and now: the next broadcast may be in the same packet.
    if (event === "session:sync") this.mirror?.compare(ack.snapshot, (problem) => this.problems.push(problem));
    // What an acknowledgement speaks of has been heard before it.
    if (ack.seq !== undefined && this.lastSeq !== null && ack.seq !== this.lastSeq) {
      this.problems.push(`${event}: acknowledged ${ack.seq} at ${this.lastSeq}`);
    }
  }
}
