// What stands between clients and servers and breaks: a TCP proxy whose
// target can be changed, and whose connections can be lost in several ways.

import net from "node:net";

export class Front {
  #server;
  #pairs = new Set();
  #isClosed = false;

  /** Listens, in front of `target` (a URL). */
  static async open(target) {
    const front = new Front();
    front.target = target;
    front.#server = net.createServer((client) => front.#connect(client));
    await new Promise((resolve) => front.#server.listen(0, "127.0.0.1", resolve));
    front.url = `http://127.0.0.1:${front.#server.address().port}`;
    return front;
  }

  get connections() {
    return this.#pairs.size;
  }

  /** Both ends learn of it. */
  cut() {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }

  /** The client learns of it; the server's end stays open, and silent. */
  cutUnnoticed() {
    for (const { client, server } of this.#pairs) {
      client.unpipe(server);
      server.unpipe(client);
      client.removeAllListeners("close");
      server.resume();
      client.destroy();
    }
  }

  /** What servers say waits here until `release`. */
  hold() {
    for (const { client, server } of this.#pairs) server.unpipe(client);
  }

  release() {
    for (const { client, server } of this.#pairs) server.pipe(client);
  }

  /** Nothing gets through any more, and nobody learns of it. */
  freeze() {
    for (const { client, server } of this.#pairs) {
      client.unpipe(server);
      server.unpipe(client);
      client.resume();
      server.resume();
    }
  }

  /** Ends whatever is left of all connections. */
  close() {
    this.#isClosed = true;
    this.#server.close();
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }

  #connect(client) {
    if (this.#isClosed) return client.destroy();
    const { hostname, port } = new URL(typeof this.target === "function" ? this.target() : this.target);
    const server = net.connect(Number(port), hostname);
    const pair = { client, server };
    this.#pairs.add(pair);
    for (const [one, other] of [[client, server], [server, client]]) {
      one.on("error", () => {});
      one.on("close", () => {
        other.destroy();
        if (client.destroyed && server.destroyed) this.#pairs.delete(pair);
      });
      one.pipe(other);
    }
  }
}
