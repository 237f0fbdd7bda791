// What the load balancers of `infra/` do with an instance that drains, refuses
// or breaks, and what they let through: before two instances made of nothing.

import assert from "node:assert/strict";
import http from "node:http";
import net from "node:net";
import { after, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { BALANCERS, startBalancer } from "./support/balancer.mjs";
import { freePort } from "./support/ports.mjs";

// Each balancer takes part in the end of this process.
process.setMaxListeners(64);

/** Longer than two health checks of haproxy, and than nginx stays away from one that failed. */
const NOTICED_MS = 2_500;
/** However busy the machine is. */
const PATIENCE_MS = 30_000;

/** The example of RFC 6455, 1.3; haproxy looks whether they match. */
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** An instance as the balancers see it: three paths, and a WebSocket that says all again. */
class Instance {
  isDraining = false;
  /** Breaks off after it has read a request. */
  isBroken = false;
  requests = [];
  #sockets = new Set();

  static async start(name, port = 0) {
    const instance = new Instance();
    instance.name = name;
    instance.server = http.createServer((request, response) => instance.#answer(request, response));
    instance.server.on("upgrade", (request, socket) => instance.#upgrade(request, socket));
    instance.server.on("connection", (socket) => {
      instance.#sockets.add(socket);
      socket.on("close", () => instance.#sockets.delete(socket));
    });
    await new Promise((resolve) => instance.server.listen(port, "127.0.0.1", resolve));
    instance.port = instance.server.address().port;
    instance.url = `http://127.0.0.1:${instance.port}`;
    return instance;
  }

  /** Refuses from now on, and forgets whom it knew. */
  async stop() {
    for (const socket of this.#sockets) socket.destroy();
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }

  #answer(request, response) {
    const path = request.url.split("?")[0];
    request.resume().on("end", () => {
      if (path === "/healthz") return response.end("alive");
      if (path === "/readyz") return response.writeHead(this.isDraining ? 503 : 200).end();
      this.requests.push(request);
      if (this.isBroken) return request.socket.destroy();
      if (this.#refuses(request)) return response.writeHead(503, { "Retry-After": "1" }).end();
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ name: this.name, headers: request.headers, path: request.url }));
    });
  }

  #upgrade(request, socket) {
    this.requests.push(request);
    if (this.#refuses(request)) return socket.end("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${ACCEPT}\r\nname: ${this.name}\r\n\r\n`,
    );
    socket.on("error", () => {}).pipe(socket);
  }

  /** Newcomers; whoever has a `sid` is served to the end. */
  #refuses(request) {
    return this.isDraining && request.url.startsWith("/socket.io/") && !request.url.includes("sid=");
  }
}

/** One request on a connection of its own. */
function ask(url, { method = "GET", headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

const nameOf = (answer) => JSON.parse(answer.text).name;

/** An open tunnel: `name` of the instance at its end, `say` gives back the echo. */
function upgrade(url) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, hostname);
    socket.write(
      `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${hostname}:${port}\r\n` +
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
        `Sec-WebSocket-Key: ${KEY}\r\n\r\n`,
    );
    socket.on("error", reject);
    socket.once("data", (head) => {
      const name = /^name: (.*)\r$/m.exec(head)?.[1];
      if (!name) return reject(new Error(`no upgrade: ${head}`));
      const say = (text) =>
        new Promise((heard, broken) => {
          socket.once("close", broken).once("data", (chunk) => heard(chunk.toString()));
          socket.write(text);
        });
      resolve({ name, say, close: () => socket.destroy() });
    });
  });
}

const times = (count, make) => Promise.all(Array.from({ length: count }, make));

for (const kind of BALANCERS) {
  describe(kind, () => {
    const all = [];
    after(() => Promise.all(all.map((one) => one.stop())));
    async function house() {
      const [one, other] = [await Instance.start("one"), await Instance.start("other")];
      all.push(one, other);
      const front = await startBalancer(kind, [one.url, other.url]);
      all.push(front);
      return { one, other, front };
    }

    it("spreads over both, keeps the host, and names the client last", async () => {
      const { front } = await house();
      const headers = { "X-Forwarded-For": "6.6.6.6, 7.7.7.7", "cardroom-relay": "10.0.0.1:1 forged", Host: "cards.example.org" };
      const answers = await times(10, () => ask(`${front.url}/api/v1/sessions?a=b`, { headers }));
      assert.deepEqual(new Set(answers.map(nameOf)), new Set(["one", "other"]));
      for (const answer of answers) {
        const seen = JSON.parse(answer.text);
        assert.equal(seen.path, "/api/v1/sessions?a=b");
        assert.equal(seen.headers.host, "cards.example.org");
        assert.equal(seen.headers["x-forwarded-for"], "6.6.6.6, 7.7.7.7, 127.0.0.1");
        assert.equal(seen.headers["cardroom-relay"], undefined);
      }
      assert.doesNotMatch(front.log(), /a=b/, "a query may hold a sid");
    });

    it("shows no operator's page", async () => {
      const { one, other, front } = await house();
      for (const path of ["/metrics", "/metrics?a", "/%6detrics", "/api/v1/status", "/api/v1/%73tatus"]) {
        assert.equal((await ask(front.url + path, { headers: { Authorization: "Bearer x" } })).status, 404, path);
      }
      assert.deepEqual([...one.requests, ...other.requests], []);
    });

    it("refuses a body that no instance would read", async () => {
      const { one, other, front } = await house();
      const post = (bytes) => ask(`${front.url}/socket.io/?sid=x`, { method: "POST", body: "x".repeat(bytes) });
      assert.equal((await post(131_072)).status, 200);
      assert.equal(one.requests.length + other.requests.length, 1);
      assert.equal((await post(131_073)).status, 413);
      assert.equal(one.requests.length + other.requests.length, 1);
    });

    it("sends nobody new to one that drains, and cuts nobody off", async () => {
      const { one, other, front } = await house();
      const before = await times(6, () => upgrade(front.url));
      const [there, elsewhere] = [before.filter(({ name }) => name === "one"), before.filter(({ name }) => name === "other")];
      assert.ok(there.length > 0 && elsewhere.length > 0, "both have some");
      one.isDraining = true;
      // At once: whoever is refused there is served elsewhere.
      const [handshake, socket] = [await ask(`${front.url}/socket.io/?EIO=4&transport=polling`), await upgrade(front.url)];
      assert.deepEqual([handshake.status, nameOf(handshake), socket.name], [200, "other", "other"]);
      await sleep(NOTICED_MS);
      for (const tunnel of before) assert.equal(await tunnel.say("still here"), "still here");
      // Whoever is sent there is refused there, and sees nothing of it.
      const later = await times(6, () => upgrade(front.url));
      assert.deepEqual(new Set(later.map(({ name }) => name)), new Set(["other"]));
      // And has it back when it is ready.
      one.isDraining = false;
      for (const tunnel of [...elsewhere, ...later, socket]) tunnel.close();
      const again = [];
      for (const end = Date.now() + PATIENCE_MS; !again.some(({ name }) => name === "one"); await sleep(100)) {
        assert.ok(Date.now() < end, "it has nobody again");
        // More than it still has from before: the one with fewer comes first.
        again.push(...(await times(there.length + 6, () => upgrade(front.url))));
      }
      for (const tunnel of [...there, ...again]) tunnel.close();
    });

    it("lets polls through when nobody is ready", async () => {
      const { one, other, front } = await house();
      one.isDraining = other.isDraining = true;
      await sleep(NOTICED_MS);
      for (let poll = 0; poll < 6; poll += 1) {
        assert.equal((await ask(`${front.url}/socket.io/?sid=x`)).status, 200);
        assert.equal((await ask(`${front.url}/socket.io/?sid=x`, { method: "POST", body: "2" })).status, 200);
      }
      assert.equal((await ask(`${front.url}/socket.io/?EIO=4`)).status, 503);
    });

    it("goes to the other one when one refuses, with a POST as well", async () => {
      const { one, other, front } = await house();
      await one.stop();
      for (let count = 1; count <= 6; count += 1) {
        const answer = await ask(`${front.url}/socket.io/?sid=x`, { method: "POST", body: "4x" });
        assert.deepEqual([answer.status, nameOf(answer)], [200, "other"]);
      }
      assert.equal(other.requests.length, 6);
      // Nobody there at all is told, soon.
      await other.stop();
      assert.ok([502, 503].includes((await ask(`${front.url}/`)).status));
    });

    it("sends no POST twice, whatever became of it", async () => {
      const { one, other, front } = await house();
      one.isBroken = other.isBroken = true;
      for (let count = 1; count <= 4; count += 1) {
        const answer = await ask(`${front.url}/socket.io/?sid=x`, { method: "POST", body: "4x" });
        assert.equal(answer.status, 502);
        const seen = [...one.requests, ...other.requests].filter(({ method }) => method === "POST");
        assert.equal(seen.length, count);
        await sleep(NOTICED_MS);
      }
      one.isBroken = other.isBroken = false;
      one.isDraining = other.isDraining = true;
      const before = one.requests.length + other.requests.length;
      assert.equal((await ask(`${front.url}/socket.io/?EIO=4`, { method: "POST", body: "4x" })).status, 503);
      assert.equal(one.requests.length + other.requests.length, before + 1, "a 503 is an answer too");
    });
  });
}

it("tells Prometheus how haproxy is, on a port of its own", async () => {
  const front = await startBalancer("haproxy", [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`]);
  try {
    assert.match((await ask(front.stats)).text, /haproxy_server_status\{/);
    assert.equal((await ask(front.stats.replace("metrics", ""))).status, 404);
  } finally {
    await front.stop();
  }
});
