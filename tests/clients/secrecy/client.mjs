// The unmodified client, with every Engine.IO packet it receives on a tape.

import assert from "node:assert/strict";

import { io } from "socket.io-client";

import { hangUp } from "../support/engine.mjs";

const PATIENCE_MS = 30_000;

export const TRANSPORTS = {
  websocket: ["websocket"],
  polling: ["polling"],
  upgrade: ["polling", "websocket"],
};

/** What each stream of a run received, in order: name → lines. */
export class Tape {
  streams = new Map();

  add(name, line) {
    if (!this.streams.has(name)) this.streams.set(name, []);
    this.streams.get(name).push(line);
  }

  get lines() {
    return [...this.streams.values()].reduce((sum, lines) => sum + lines.length, 0);
  }
}

export class Client {
  /** What the session's task answered a join with. */
  joined;
  #waiters = new Set();
  #isRecording = true;

  constructor(tape, name, url, transport, auth = {}) {
    Object.assign(this, { tape, name, auth });
    this.socket = io(url, {
      transports: TRANSPORTS[transport],
      auth: (give) => give(this.auth),
      forceNew: true,
      autoConnect: false,
      // A test says itself when somebody comes back.
      reconnection: false,
    });
    this.socket.onAny((event, ...args) => {
      if (event === "session:joined") this.joined = args[0];
      this.#happened({ event, payload: args[0] });
    });
    this.socket.on("connect_error", (error) =>
      this.#happened({ event: "connect_error", payload: error }));
    this.socket.on("disconnect", (reason) =>
      this.#happened({ event: "disconnect", payload: reason }));
  }

  get token() {
    return this.joined.playerToken;
  }

  get playerId() {
    return this.joined.player.id;
  }

  /** Opens a connection; each has its engine, whose packets are recorded. */
  async connect() {
    const connected = this.next("connect_error", () => true, "connect");
    this.socket.connect();
    const { engine } = this.socket.io;
    engine.on("packet", ({ type, data }) => this.#record(type, data));
    this.socket.once("connect", () => {
      this.#happened({ event: "connect" });
      if (this.socket.recovered) this.#happened({ event: "recovered" });
    });
    const { event, payload } = await connected;
    if (event === "connect_error") throw payload;
    return this;
  }

  /** Connects with a handshake that joins, unless the socket is recovered. */
  async connectAndJoin() {
    const joined = this.next("session:joined", () => true, "recovered");
    await this.connect();
    await joined;
    return this;
  }

  /** What a page that is loaded anew knows no more: the socket it had. */
  forget() {
    this.socket._pid = undefined;
  }

  /** Loses the connection, as if the network did it. */
  async lose() {
    const gone = this.next("disconnect");
    await hangUp(this.socket.io.engine);
    await gone;
  }

  /** Receives what is on its way, and records no more. */
  async finish() {
    if (this.socket.connected) await this.ask("heartbeat", { timestamp: 0 });
    this.#isRecording = false;
  }

  close() {
    this.socket.disconnect();
  }

  /** Sends an event and resolves with its acknowledgement. */
  ask(event, payload) {
    const args = payload === undefined ? [] : [payload];
    return this.socket.timeout(PATIENCE_MS).emitWithAck(event, ...args);
  }

  async ok(event, payload) {
    const ack = await this.ask(event, payload);
    assert.equal(ack.ok, true, `${this.name} ${event}: ${JSON.stringify(ack.error)}`);
    return ack;
  }

  async refused(code, event, payload) {
    const ack = await this.ask(event, payload);
    assert.equal(ack.error?.code, code, `${this.name} ${event}`);
    return ack;
  }

  /** The next occurrence of an event from now on, or of the alternative. */
  next(event, wanted = () => true, alternative = undefined) {
    const asked = new Error(`${this.name} waited for ${event}`);
    return new Promise((resolve, reject) => {
      const waiter = (happened) => {
        const isAlternative = alternative !== undefined && happened.event === alternative;
        if (!isAlternative && (happened.event !== event || !wanted(happened.payload))) return;
        this.#waiters.delete(waiter);
        clearTimeout(timer);
        resolve(alternative === undefined ? happened.payload : happened);
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(asked);
      }, PATIENCE_MS);
      this.#waiters.add(waiter);
    });
  }

  #happened(happened) {
    for (const waiter of [...this.#waiters]) waiter(happened);
  }

  #record(type, data) {
    if (!this.#isRecording) return;
    // When these come is a matter of time; they carry nothing.
    if ((type === "ping" || type === "pong" || type === "noop") && !data) return;
    const text = data === undefined || typeof data === "string"
      ? data ?? ""
      : `binary ${Buffer.from(data).toString("hex")}`;
    this.tape.add(this.name, `${type} ${text}`);
  }
}
