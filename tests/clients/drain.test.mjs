// A server that is told to end, or to drain: everybody hears it, one after the
// other, and comes back elsewhere.

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Traveller } from "./recovery_client.mjs";
import { TRANSPORTS } from "./support/client.mjs";
import { BRISK } from "./support/engine.mjs";
import { startRedis } from "./support/redis.mjs";
import { PROMPT, UNLIMITED, startServer } from "./support/server.mjs";
import { Table } from "./support/table.mjs";

process.setMaxListeners(64);

const redis = await startRedis();
after(() => redis.stop());

const SHARED = {
  ...UNLIMITED,
  ...BRISK,
  ...PROMPT,
  "redis.url": redis.url,
  "instances.shared_secret": "what the instances of this test share",
  "auth.token_keys": `[{ kid = "test", secret = "what the tokens of this test are signed with" }]`,
};
/** 2 s of notice, 4 s to close in, 2 s in reserve. */
const DRAIN = { "server.drain_seconds": 8, "server.drain_notice_ms": 2_000 };
/** 5 s of notice, 10 s to close in, 5 s in reserve. */
const SLOW_DRAIN = { "server.drain_seconds": 20, "server.drain_notice_ms": 5_000 };

/** On a busy machine; the drain itself would take longer, or as long. */
const AT_ONCE_MS = 6_000;

const status = async (server, path) => (await fetch(server.url + path, { headers: { Connection: "close" } })).status;

/** Resolves once it drains. */
async function drains(server) {
  for (const end = Date.now() + 10_000; (await status(server, "/readyz")) !== 503; await sleep(20)) {
    assert.ok(Date.now() < end, "it does not hear");
  }
}

for (const transport of Object.keys(TRANSPORTS)) {
  it(`says goodbye over ${transport}, and ends cleanly`, async () => {
    const server = await startServer({ ...UNLIMITED, ...PROMPT, "server.drain_seconds": 4, "server.drain_notice_ms": 100 });
    const table = new Table(server, transport);
    try {
      const host = await table.open();
      const ann = await table.join("Ann");
      await ann.do("vote:submit", table.vote("5"));
      const ending = server.stop();
      for (const one of [host, ann]) {
        const goodbye = await one.next("connection:error");
        assert.equal(goodbye.code, "SERVER_SHUTDOWN");
        assert.ok(goodbye.retryAfter >= 0 && goodbye.retryAfter <= 5, `retryAfter ${goodbye.retryAfter}`);
        // Not "io server disconnect", after which a client stays away.
        assert.match((await one.next("(disconnect)")).reason, /^transport (close|error)$/);
      }
      assert.deepEqual(await ending, { code: 0, signal: null });
    } finally {
      await table.close({ check: false });
      await server.stop();
    }
  });
}

describe("a drain", { concurrency: true }, () => {
  it("serves whoever is left, and closes one after the other", async () => {
    const server = await startServer({ ...UNLIMITED, ...PROMPT, ...SLOW_DRAIN });
    const tables = Object.keys(TRANSPORTS).map((transport) => new Table(server, transport));
    try {
      const hosts = [];
      for (const table of tables) {
        hosts.push(await table.open());
        for (let n = 0; n < 7; n++) await table.join(`P${n}`);
      }
      const begun = Date.now();
      const clients = tables.flatMap((table) => table.clients);
      const going = clients.map(({ socket }) => new Promise((resolve) => socket.on("disconnect", (reason) => resolve({ after: Date.now() - begun, reason }))));
      await server.signal("SIGTERM");
      await drains(server);
      assert.equal(await status(server, "/healthz"), 200);
      assert.equal(await status(server, "/socket.io/?EIO=4&transport=polling"), 503);
      for (const [index, table] of tables.entries()) {
        await hosts[index].do("vote:submit", table.vote("5"));
        const told = table.clients.at(-1).heard("connection:error").length;
        assert.ok(told === 0 || Date.now() - begun >= SLOW_DRAIN["server.drain_notice_ms"], "nobody is told before it is time");
      }
      assert.deepEqual(await server.ended, { code: 0, signal: null });
      const gone = await Promise.all(going);
      const times = gone.map((one) => one.after).sort((a, b) => a - b);
      assert.ok(times[0] >= 5_000 && times.at(-1) <= 20_000, `from ${times[0]} to ${times.at(-1)} ms`);
      for (const from of times) {
        const share = times.filter((at) => at >= from && at < from + 500).length / times.length;
        // A twentieth of the time, but who stalls this machine for some seconds
        // lets that many go together (src/server/drain.rs judges the moments).
        assert.ok(share <= 0.5, `${share} of all within half a second: ${times}`);
      }
      for (const { reason } of gone) assert.match(reason, /^transport (close|error)$/);
    } finally {
      for (const table of tables) await table.close({ check: false });
      await server.stop();
    }
  });

  it("ends at once where nobody is", async () => {
    const server = await startServer({ ...UNLIMITED, "server.drain_seconds": 60 });
    const begun = Date.now();
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    assert.ok(Date.now() - begun < AT_ONCE_MS, `${Date.now() - begun} ms`);
  });

  it("ends at once when it is told twice", async () => {
    const server = await startServer({ ...UNLIMITED, "server.drain_seconds": 60 });
    const table = new Table(server, "websocket");
    try {
      await table.open();
      await server.signal("SIGTERM");
      // Two signals at one moment are one.
      await drains(server);
      await server.signal("SIGTERM");
      assert.deepEqual(await server.ended, { code: 143, signal: null });
    } finally {
      await table.close({ check: false });
    }
  });

  for (const transport of Object.keys(TRANSPORTS)) {
    it(`moves everybody to another instance over ${transport}, and nobody leaves`, async () => {
      const [leaving, staying] = await Promise.all([startServer({ ...SHARED, ...DRAIN }), startServer(SHARED)]);
      const table = new Table(staying, transport);
      const people = [];
      try {
        const host = await table.open();
        for (let n = 0; n < 5; n++) {
          const one = await Traveller.open(leaving.url, transport, { auth: { sessionId: table.id, playerName: `T${n}` } });
          await one.next("session:joined");
          people.push(one);
        }
        await leaving.signal("SIGTERM");
        await sleep(300);
        for (const one of people) one.front.target = staying.url;
        assert.deepEqual(await leaving.ended, { code: 0, signal: null });
        for (const one of people) await one.connected(2);
        await host.settle();
        assert.deepEqual(host.heard("player:left"), []);
        for (const one of people) {
          assert.equal(one.connects.length, 2);
          assert.equal(one.connects[1].recovered, true, "it missed nothing");
          assert.deepEqual(one.problems, []);
          await one.close();
        }
      } finally {
        for (const one of people) await one.close();
        await table.close({ check: false });
        await leaving.stop();
        await staying.stop();
      }
    });
  }

  it("may be asked for through Redis: the instance drains, and waits for its end", async () => {
    const task = "arn:aws:ecs:eu-central-1:1:task/cards/1";
    const [asked, other] = await Promise.all([startServer({ ...SHARED, ...DRAIN, "instances.task": task }), startServer(SHARED)]);
    const table = new Table(asked, "websocket");
    try {
      await table.open();
      const ids = await redis.ask("ZRANGE", "instances", 0, -1);
      const tasks = await Promise.all(ids.map((id) => redis.ask("HGET", `instance:${id}`, "task")));
      const id = ids[tasks.indexOf(task)];
      assert.equal(await redis.ask("HSET", `instance:${id}`, "drain", 1), 1);
      await drains(asked);
      assert.equal(await status(other, "/readyz"), 200);
      await table.host.next("connection:error");
      await table.host.next("(disconnect)");
      await sleep(1_000);
      assert.equal(await status(asked, "/healthz"), 200);
      assert.equal(await status(asked, "/readyz"), 503);
      assert.equal(await redis.ask("EXISTS", `instance:${id}`), 1);
      const ending = Date.now();
      assert.deepEqual(await asked.stop(), { code: 0, signal: null });
      assert.ok(Date.now() - ending < AT_ONCE_MS, `${Date.now() - ending} ms`);
      assert.equal(await redis.ask("EXISTS", `instance:${id}`), 0);
    } finally {
      await table.close({ check: false });
      await asked.stop();
      await other.stop();
    }
  });

  it("says by its status that the store could not be told", async () => {
    const own = await startRedis();
    const server = await startServer({ ...SHARED, "redis.url": own.url, "redis.command_timeout_ms": 5_000, "server.drain_seconds": 1 });
    const table = new Table(server, "websocket");
    try {
      await table.open();
      await own.stop();
      await server.signal("SIGTERM");
      assert.deepEqual(await server.ended, { code: 3, signal: null });
    } finally {
      await table.close({ check: false });
      await server.stop();
      await own.stop();
    }
  });
});
