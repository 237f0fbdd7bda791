// How often, on several instances with one Redis: the budgets are of seats and
// addresses, not of sockets, tabs or instances.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Client } from "./support/client.mjs";
import { startRedis } from "./support/redis.mjs";
import { PROMPT, UNLIMITED, startServer } from "./support/server.mjs";
import { Table } from "./support/table.mjs";

const VOTES_PER_MINUTE = 10;
const CARDS = ["3", "5"];

let redis, one, other;
before(async () => {
  redis = await startRedis();
  [one, other] = await Promise.all([startInstance(redis), startInstance(redis)]);
});
after(async () => {
  await Promise.all([one, other].map((instance) => instance?.stop()));
  await redis?.stop();
});

function startInstance(at, settings = {}) {
  return startServer({
    ...UNLIMITED,
    ...PROMPT,
    "redis.url": at.url,
    "auth.token_keys": '[{ kid = "t", secret = "of all instances, 32 bytes long." }]',
    "rate_limits.vote:submit": VOTES_PER_MINUTE,
    // Renewals stay out of what is counted here.
    "instances.lease_ms": 600_000,
    "instances.renew_ms": 200_000,
    ...settings,
  });
}

async function seated(server = one) {
  const table = new Table(server, "websocket");
  await table.open();
  return { table, ann: await table.join("Ann") };
}

/** A Redis whose calls are only those of these instances: nothing of an earlier story is still going on there. */
async function apart(count) {
  const own = await startRedis();
  const servers = await Promise.all(Array.from({ length: count }, () => startInstance(own)));
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await own.stop();
  };
  return { redis: own, servers, stop };
}

/** Resolves once so many sockets are listed: what their coming costs Redis is over. */
async function listed(at, table, sockets) {
  for (const end = Date.now() + 20_000; (await at.ask("ZCARD", `session:{${table.id}}:connections`)) !== sockets; await sleep(20)) {
    assert.ok(Date.now() < end, "they are never listed");
  }
}

/** Votes until that is refused; how often it was not. */
async function useUp(client, table) {
  for (let count = 0; ; count += 1) {
    const answer = await client.ask("vote:submit", table.vote(CARDS[count % 2]));
    if (!answer.ok) {
      assert.equal(answer.error.code, "RATE_LIMITED");
      return count;
    }
  }
}

describe("budgets", () => {
  it("follow a seat to another instance, by rate:limit and in the acknowledgement", async () => {
    const { table, ann } = await seated();
    try {
      assert.equal(await useUp(ann, table), VOTES_PER_MINUTE);
      ann.close();
      table.server = other;
      const back = await table.tab(ann);
      const error = await back.refused("RATE_LIMITED", "vote:submit", table.vote("8"));
      assert.ok(1 <= error.retryAfter && error.retryAfter <= 60, `${error.retryAfter}`);
      const told = await back.next("rate:limit");
      assert.deepEqual(told, {
        event: "vote:submit", retryAfter: error.retryAfter, limit: VOTES_PER_MINUTE, windowSeconds: 60,
      });
      await back.do("vote:change", table.vote("8"));
      await table.host.do("vote:submit", table.vote("8"));
    } finally {
      await table.close({ check: false });
    }
  });

  it("are shared by tabs on two instances", async () => {
    const { table, ann } = await seated();
    try {
      table.server = other;
      const tab = await table.tab(ann);
      let accepted = 0;
      for (let count = 0; count < 3 * VOTES_PER_MINUTE; count += 1) {
        const answer = await [ann, tab][count % 2].ask("vote:submit", table.vote(CARDS[count % 2]));
        accepted += Number(answer.ok);
      }
      assert.equal(accepted, VOTES_PER_MINUTE);
    } finally {
      await table.close({ check: false });
    }
  });

  it("are one for votes over sockets and stories over HTTP, each for itself", async () => {
    const limit = 3;
    const server = await startInstance(redis, { "rate_limits.story:create": limit });
    const { table, ann } = await seated(server);
    try {
      const post = () => fetch(`${server.url}/api/v1/sessions/${table.id}/stories`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${ann.joined.playerToken}` },
        body: JSON.stringify({ title: "x" }),
      });
      await ann.ask("story:create", { title: "y" });
      for (let count = 1; count < limit; count += 1) await post();
      const refused = await post();
      assert.equal(refused.status, 429);
      assert.ok(Number(refused.headers.get("retry-after")) >= 1);
      await ann.refused("RATE_LIMITED", "story:create", { title: "z" });
    } finally {
      await table.close({ check: false });
      await server.stop();
    }
  });

  it("hold against 50 reconnects a second, each with a flood of its own", async () => {
    const { table, ann } = await seated();
    const attackers = [];
    try {
      let [accepted, answered] = [0, 0];
      /** Comes, votes seven times at once, hears what became of it, and goes. */
      const attack = async (attacker) => {
        await attacker.next("session:joined");
        const votes = Array.from({ length: 7 }, (_, number) => attacker.ask("vote:submit", table.vote(CARDS[number % 2])));
        for (const { ok } of await Promise.all(votes)) {
          answered += 1;
          accepted += Number(ok);
        }
        attacker.close();
      };
      const attacks = [];
      for (let count = 0; count < 150; count += 1) {
        const auth = { sessionId: table.id, playerToken: ann.joined.playerToken };
        const attacker = new Client([one, other][count % 2].url, "websocket", { auth });
        attackers.push(attacker);
        attacks.push(attack(attacker));
        await sleep(20);
      }
      await Promise.all(attacks);
      assert.equal(answered, 7 * 150);
      assert.equal(accepted, VOTES_PER_MINUTE);
      // Others at the same table go on.
      await table.host.do("vote:submit", table.vote("8"));
    } finally {
      for (const attacker of attackers) attacker.close();
      await table.close({ check: false });
    }
  });

  it("that are used up cost Redis nothing, however often they are asked", async () => {
    const { redis, servers, stop } = await apart(2);
    const { table, ann } = await seated(servers[0]);
    try {
      await useUp(ann, table);
      table.server = servers[1];
      const back = await table.tab(ann);
      await back.refused("RATE_LIMITED", "vote:submit", table.vote("8"));
      await listed(redis, table, 3);
      const before = await redis.calls("evalsha");
      for (let count = 0; count < 180; count += 1) {
        await back.refused("RATE_LIMITED", "vote:submit", table.vote("8"));
      }
      assert.equal(await redis.calls("evalsha"), before);
    } finally {
      await table.close({ check: false });
      await stop();
    }
  });

  it("cost one call for each accepted vote, and none besides", async () => {
    const { redis, servers, stop } = await apart(1);
    const { table, ann } = await seated(servers[0]);
    try {
      await table.quiet();
      await listed(redis, table, 2);
      const before = await redis.calls("evalsha");
      for (let count = 0; count < VOTES_PER_MINUTE; count += 1) {
        await ann.do("vote:submit", table.vote(CARDS[count % 2]));
      }
      assert.equal(await redis.calls("evalsha"), before + VOTES_PER_MINUTE);
    } finally {
      await table.close({ check: false });
      await stop();
    }
  });

  it("are kept by the instance alone while Redis is away", async () => {
    const own = await startRedis();
    const server = await startInstance(own, { "redis.command_timeout_ms": 4_000 });
    const { table, ann } = await seated(server);
    try {
      await own.stop();
      const codes = [];
      for (let count = 0; count < VOTES_PER_MINUTE + 5; count += 1) {
        codes.push((await ann.ask("vote:submit", table.vote("5"))).error.code);
      }
      const unavailable = Array(VOTES_PER_MINUTE).fill("STATE_UNAVAILABLE");
      assert.deepEqual(codes, [...unavailable, ...Array(5).fill("RATE_LIMITED")]);
      // What needs no Redis is not held up by it for long.
      const begun = Date.now();
      for (let count = 0; count < 20; count += 1) await ann.do("heartbeat", { timestamp: count });
      // One that waited for Redis would wait a second.
      assert.ok(Date.now() - begun < 10_000, `${Date.now() - begun} ms`);
    } finally {
      await table.close({ check: false });
      await server.stop();
    }
  });

  it("of an address are those of all instances: new sessions, guesses", async () => {
    const own = await startRedis();
    const limits = {
      "rate_limits.session:join": 6,
      "rate_limits.session:create": 4,
      "limits.failed_joins_max": 3,
    };
    const servers = await Promise.all([startInstance(own, limits), startInstance(own, limits)]);
    const table = new Table(servers[0], "websocket");
    try {
      await table.open();
      const codes = async (count, event, payload) => {
        const codes = [];
        for (let number = 0; number < count; number += 1) {
          table.server = servers[number % 2];
          codes.push((await (await table.stranger()).ask(event, payload)).error?.code ?? "ok");
        }
        return codes;
      };
      const created = await codes(5, "session:create", { name: "S", playerName: "P" });
      // One was opened before.
      assert.deepEqual(created, ["ok", "ok", "ok", "RATE_LIMITED", "RATE_LIMITED"]);
      const guesses = await codes(5, "session:join", { sessionId: "ABCDEFGH", playerName: "G" });
      const unknown = Array(3).fill("SESSION_NOT_FOUND");
      assert.deepEqual(guesses, [...unknown, "RATE_LIMITED", "RATE_LIMITED"]);
      // Whoever has a seat is not kept out by guesses behind his address.
      table.server = servers[1];
      await table.tab(table.host);
    } finally {
      await table.close({ check: false });
      await Promise.all(servers.map((server) => server.stop()));
      await own.stop();
    }
  });
});
