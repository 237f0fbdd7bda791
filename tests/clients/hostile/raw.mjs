// Connections that do not behave: one packet at a time, as typed.

import { request } from "node:http";
import { connect } from "node:net";
import { once } from "node:events";

import WebSocket from "ws";

const PATIENCE_MS = 30_000;

/** An Engine.IO connection over WebSocket, without any client on top. */
export class RawSocket {
  /** Everything received, as text; binary as `binary <hex>`. */
  received = [];
  #waiting = new Set();

  static async open(server, { query = "EIO=4&transport=websocket" } = {}) {
    const raw = new RawSocket();
    const url = `${server.url.replace("http", "ws")}/socket.io/?${query}`;
    raw.socket = new WebSocket(url, { perMessageDeflate: false });
    raw.socket.on("error", () => undefined);
    raw.socket.on("close", (code) => {
      raw.closeCode = code;
      raw.#wake();
    });
    raw.socket.on("message", (data, isBinary) => {
      const text = isBinary ? `binary ${data.toString("hex")}` : data.toString();
      // The heartbeat goes on whatever else happens.
      if (text === "2") raw.socket.send("3");
      else raw.received.push(text);
      raw.#wake();
    });
    await raw.saying((text) => text.startsWith("0"));
    return raw;
  }

  /** One on which the main namespace is joined. */
  static async connected(server, auth = "") {
    const raw = await RawSocket.open(server);
    raw.send(`40${auth}`);
    await raw.saying((text) => text.startsWith("40"));
    return raw;
  }

  send(...packets) {
    for (const packet of packets) this.socket.send(packet);
  }

  /** Sends an event that asks for an acknowledgement; resolves with that. */
  async ask(json, id = 1) {
    this.send(`42${id}${json}`);
    const ack = await this.saying((text) => text.startsWith(`43${id}[`));
    return JSON.parse(ack.slice(`43${id}`.length))[0];
  }

  /** The first packet that fits and was not waited for before. */
  async saying(fits) {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const index = this.received.findIndex(fits);
      if (index >= 0) return this.received.splice(index, 1)[0];
      if (this.closeCode !== undefined) throw new Error(`closed; received ${this.received.join(" ")}`);
      await this.#woken(deadline);
    }
  }

  /** Resolves when the server has ended the connection: the close code. */
  async ended() {
    const deadline = Date.now() + PATIENCE_MS;
    while (this.closeCode === undefined) await this.#woken(deadline);
    return this.closeCode;
  }

  /** Whether the connection still answers. */
  async isAlive() {
    this.send('429["no:such:event"]');
    await this.saying((text) => text.startsWith("439["));
    return true;
  }

  close() {
    this.socket.terminate();
  }

  #wake() {
    for (const wake of this.#waiting) wake();
  }

  #woken(deadline) {
    return new Promise((resolve, reject) => {
      const finish = (result) => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        result();
      };
      const wake = () => finish(resolve);
      const timer = setTimeout(
        () => finish(() => reject(new Error(`nothing came; received ${this.received.join(" ")}`))),
        deadline - Date.now(),
      );
      this.#waiting.add(wake);
    });
  }
}

/** One HTTP request on a connection of its own: `{status, headers, body}`. */
export function http(server, path, { method = "GET", headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const asked = request(`${server.url}${path}`, { method, headers, agent: false }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({
        status: response.statusCode,
        headers: response.headers,
        body: Buffer.concat(chunks).toString(),
      }));
    });
    asked.on("error", reject);
    asked.setTimeout(PATIENCE_MS, () => asked.destroy(new Error(`no answer to ${path}`)));
    asked.end(body);
  });
}

/** Bytes on a bare TCP connection; resolves with all that comes back. */
export async function tcp(server, ...pieces) {
  const socket = connect(server.port, "127.0.0.1");
  let answer = "";
  socket.on("data", (data) => (answer += data.toString("latin1")));
  socket.on("error", () => undefined);
  await once(socket, "connect");
  for (const piece of pieces) socket.write(piece);
  await once(socket, "close", { signal: AbortSignal.timeout(PATIENCE_MS) });
  return answer;
}

/** An Engine.IO connection over polling. */
export class RawPolling {
  static async open(server) {
    const polling = new RawPolling();
    const opened = await http(server, "/socket.io/?EIO=4&transport=polling");
    const { sid } = JSON.parse(opened.body.slice(1));
    polling.path = `/socket.io/?EIO=4&transport=polling&sid=${sid}`;
    polling.server = server;
    return polling;
  }

  static async connected(server) {
    const polling = await RawPolling.open(server);
    await polling.post("40");
    await polling.poll();
    return polling;
  }

  post(body, headers = { "content-type": "text/plain;charset=UTF-8" }) {
    return http(this.server, this.path, { method: "POST", headers, body });
  }

  poll() {
    return http(this.server, this.path);
  }
}
