// Several instances on one Redis: who is connected where, and what becomes of
// the players of an instance that dies, or only seems to.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { startRedis } from "./support/redis.mjs";
import { PROMPT, UNLIMITED, startServer } from "./support/server.mjs";
import { Table } from "./support/table.mjs";

const LEASE_MS = 4_000;
const GRACE_MS = 5_000;
/** Two looks at the leases, and a machine that is busy. */
const NOTICED_WITHIN_MS = LEASE_MS + 20_000;

// Each server takes part in the end of this process.
process.setMaxListeners(64);

let redis;
before(async () => (redis = await startRedis()));
after(() => redis.stop());

function startInstance(settings = {}) {
  return startServer({
    ...UNLIMITED,
    ...PROMPT,
    "redis.url": redis.url,
    "auth.token_keys": '[{ kid = "t", secret = "of all instances, 32 bytes long." }]',
    "instances.lease_ms": LEASE_MS,
    "instances.renew_ms": 500,
    "session.drain_grace_ms": GRACE_MS,
    "session.disconnect_grace_ms": GRACE_MS,
    ...settings,
  });
}

/** A session with people on several instances. */
async function seated(...instances) {
  const [first, ...others] = instances;
  const table = new Table(first, "websocket");
  const people = [await table.open()];
  for (const instance of others) {
    table.server = instance;
    people.push(await table.join(`Guest ${people.length}`));
  }
  table.server = first;
  await table.quiet();
  return { table, people };
}

/** Long enough that a missing lease is believed. */
const trusted = () => sleep(LEASE_MS + 500);

const of = (client) => (payload) => payload.playerId === client.id;
const ofPlayer = (client, isOnline) => (payload) => payload.playerId === client.id && payload.isOnline === isOnline;

function told(client, name, about) {
  return client.heard(name).filter((payload) => payload.playerId === about.id);
}

async function connections(table) {
  const members = await redis.ask("ZRANGE", `session:{${table.id}}:connections`, Date.now(), "+inf", "BYSCORE");
  return members.map((member) => member.split("/"));
}

async function online(table) {
  return new Set(await redis.ask("ZRANGE", `session:{${table.id}}:online`, Date.now(), "+inf", "BYSCORE"));
}

async function eventually(what, holds, withinMs = 20_000) {
  for (const end = Date.now() + withinMs; ; await sleep(20)) {
    if (await holds()) return;
    if (end < Date.now()) throw new Error(`never: ${what}`);
  }
}

describe("instances", { concurrency: true }, () => {
  it("know of each other's connections", async () => {
    const [one, other] = [await startInstance(), await startInstance()];
    const { table, people } = await seated(one, other);
    const [host, guest] = people;
    try {
      await eventually("both are listed", async () => (await connections(table)).length === 2);
      const listed = await connections(table);
      assert.deepEqual(new Set(listed.map(([player]) => player)), new Set([host.id, guest.id]));
      assert.deepEqual(new Set(listed.map(([, socket]) => socket)), new Set([host.socket.id, guest.socket.id]));
      assert.equal(new Set(listed.map(([, , instance]) => instance)).size, 2);

      const key = `connection:${guest.socket.id}`;
      await eventually("it has a record", async () => (await redis.ask("GET", key)) !== null);
      const record = JSON.parse(await redis.ask("GET", key));
      assert.equal(record.socketId, guest.socket.id);
      assert.equal(record.sessionId, table.id);
      assert.equal(record.playerId, guest.id);
      const instance = await redis.ask("HGET", `instance:${record.instance}`, "address");
      assert.equal(`http://${instance}`, other.url);
      assert.deepEqual(await online(table), new Set([host.id, guest.id]));

      // With a second tab, a player stays online when the first one goes.
      table.server = one;
      const tab = await table.tab(guest);
      await eventually("the tab is listed", async () => (await connections(table)).length === 3);
      guest.close();
      await eventually("the socket is not", async () => (await connections(table)).length === 2);
      assert.deepEqual(await online(table), new Set([host.id, guest.id]));
      await eventually("its record is gone", async () => (await redis.ask("GET", key)) === null);
      tab.close();
      await eventually("the player is offline", async () => !(await online(table)).has(guest.id));
    } finally {
      await table.close({ check: false });
      await Promise.all([one.stop(), other.stop()]);
    }
  });

  it("tell once that the players of one that was killed are gone", async () => {
    const [one, doomed, third] = await Promise.all([startInstance(), startInstance(), startInstance()]);
    const { table, people } = await seated(one, doomed, doomed, third);
    const [host, ann, ben, cleo] = people;
    const survivors = [host, cleo];
    try {
      await ann.do("vote:submit", table.vote("5"));
      await trusted();
      await table.quiet();
      const killed = Date.now();
      await doomed.signal("SIGKILL");
      for (const witness of survivors) {
        for (const lost of [ann, ben]) {
          await witness.next("player:status_changed", ofPlayer(lost, false), NOTICED_WITHIN_MS);
        }
      }
      const noticed = Date.now() - killed;
      for (const witness of survivors) {
        for (const lost of [ann, ben]) {
          const left = await witness.next("player:left", of(lost), GRACE_MS + 20_000);
          assert.equal(left.reason, "disconnected");
        }
      }
      console.log(`# noticed after ${noticed} ms (lease ${LEASE_MS} ms), left after ${Date.now() - killed} ms`);
      assert.ok(LEASE_MS / 2 < noticed, "not before the lease is over");

      // Nothing is said twice, and nothing else is said.
      await sleep(LEASE_MS);
      for (const witness of survivors) {
        assert.deepEqual(await witness.news(), []);
        for (const lost of [ann, ben]) {
          assert.equal(told(witness, "player:status_changed", lost).length, 1);
          assert.equal(told(witness, "player:left", lost).length, 1);
        }
        assert.equal(witness.heard("(disconnect)").length, 0);
      }
      assert.deepEqual(await online(table), new Set(survivors.map((witness) => witness.id)));

      // The vote of the lost one is still on the table.
      await host.do("cards:reveal");
      const revealed = await cleo.next("cards:revealed");
      assert.equal(revealed.votes.find(of(ann)).value, "5");
      // And the seat is there for who comes back.
      table.server = third;
      const back = await table.tab(ann);
      assert.equal(back.id, ann.id);
      await back.settle();
      for (const witness of survivors) await witness.settle();
      for (const client of [back, ...survivors]) assert.deepEqual(client.problems, []);
    } finally {
      await table.close({ check: false });
      await Promise.all([one.stop(), third.stop()]);
    }
  });

  it("take back one that was only paused", async () => {
    // Long enough for a slow machine to bring it back in.
    const grace = 3 * GRACE_MS;
    const patient = { "session.drain_grace_ms": grace, "session.disconnect_grace_ms": grace };
    const [one, paused] = await Promise.all([startInstance(patient), startInstance(patient)]);
    const { table, people } = await seated(one, paused);
    const [host, ann] = people;
    try {
      await trusted();
      await table.quiet();
      await paused.signal("SIGSTOP");
      await host.next("player:status_changed", ofPlayer(ann, false), NOTICED_WITHIN_MS);
      const resumed = Date.now();
      await paused.signal("SIGCONT");
      await host.next("player:status_changed", ofPlayer(ann, true), NOTICED_WITHIN_MS);
      console.log(`# back online ${Date.now() - resumed} ms after it went on`);
      // The socket was there all the time, and serves.
      await ann.do("vote:submit", table.vote("8"));
      await host.next("vote:submitted", of(ann));
      assert.equal(ann.heard("(disconnect)").length, 0);
      await sleep(grace);
      assert.equal(told(host, "player:left", ann).length, 0);
      assert.equal(told(host, "player:status_changed", ann).length, 2);
      await table.close();
    } finally {
      await table.close({ check: false });
      await Promise.all([one.stop(), paused.stop()]);
    }
  });

  it("take back one that was paused until its players had left", async () => {
    const [one, paused] = await Promise.all([startInstance(), startInstance()]);
    const { table, people } = await seated(one, paused);
    const [host, ann] = people;
    try {
      await trusted();
      await table.quiet();
      await paused.signal("SIGSTOP");
      await host.next("player:left", of(ann), NOTICED_WITHIN_MS + GRACE_MS + 20_000);
      await paused.signal("SIGCONT");
      const back = await host.next("player:joined", (payload) => payload.player.id === ann.id, NOTICED_WITHIN_MS);
      assert.equal(back.player.isOnline, true);
      await ann.do("vote:submit", table.vote("8"));
      await table.close();
    } finally {
      await table.close({ check: false });
      await Promise.all([one.stop(), paused.stop()]);
    }
  });

  it("believe no directory that has lost its leases", async () => {
    const [one, other] = await Promise.all([startInstance(), startInstance()]);
    const { table, people } = await seated(one, other);
    const [host, ann] = people;
    try {
      await trusted();
      await table.quiet();
      for (let round = 0; round < 10; round += 1) {
        // By name: another story's instances live here too.
        const listed = await connections(table);
        for (const [, socket, instance] of listed) await redis.ask("DEL", `instance:${instance}`, `connection:${socket}`);
        await redis.ask("DEL", `session:{${table.id}}:connections`, `session:{${table.id}}:online`);
        await eventually("it is filled again", async () => (await connections(table)).length === 2);
      }
      await sleep(LEASE_MS);
      assert.deepEqual(await host.news(), []);
      assert.deepEqual(await online(table), new Set([host.id, ann.id]));
      await table.close();
    } finally {
      await table.close({ check: false });
      await Promise.all([one.stop(), other.stop()]);
    }
  });

  it("forget nobody because Redis was away for longer than a lease", async () => {
    const shared = await startRedis();
    const on = { "redis.url": shared.url, "redis.command_timeout_ms": 5_000 };
    const [one, other] = await Promise.all([startInstance(on), startInstance(on)]);
    const { table, people } = await seated(one, other);
    const [host, ann] = people;
    try {
      await trusted();
      await table.quiet();
      shared.pause();
      await sleep(LEASE_MS * 2);
      await host.refused("STATE_UNAVAILABLE", "vote:submit", table.vote("5"));
      shared.resume();
      await sleep(LEASE_MS * 2);
      assert.equal(told(host, "player:status_changed", ann).length, 0);
      assert.equal(told(ann, "player:status_changed", host).length, 0);
      await ann.do("vote:submit", table.vote("8"));
      await host.next("vote:submitted", of(ann));
      const listed = await shared.ask("ZCOUNT", `session:{${table.id}}:connections`, Date.now(), "+inf");
      assert.equal(listed, 2);
      await table.close();
    } finally {
      shared.resume();
      await table.close({ check: false });
      await Promise.all([one.stop(), other.stop()]);
      await shared.stop();
    }
  });

  it("find the dead in a session that nobody served", async () => {
    const doomed = await startInstance();
    const { table, people } = await seated(doomed, doomed, doomed);
    const [host, ann, ben] = people;
    let next;
    try {
      await doomed.signal("SIGKILL");
      next = await startInstance();
      table.server = next;
      const back = await table.tab(host);
      for (const lost of [ann, ben]) {
        await back.next("player:status_changed", ofPlayer(lost, false), NOTICED_WITHIN_MS + LEASE_MS);
        await back.next("player:left", of(lost), GRACE_MS + 20_000);
      }
      await back.settle();
      assert.deepEqual(back.problems, []);
    } finally {
      await table.close({ check: false });
      await next?.stop();
    }
  });

  it("know at once of one that ends as it should", async () => {
    const [one, leaving] = await Promise.all([startInstance(), startInstance({ "server.drain_seconds": 5 })]);
    const { table, people } = await seated(one, leaving);
    const [host, ann] = people;
    try {
      await eventually("both are listed", async () => (await connections(table)).length === 2);
      const [, , instance] = (await connections(table)).find(([player]) => player === ann.id);
      assert.equal(await redis.ask("EXISTS", `instance:${instance}`), 1);
      await leaving.stop();
      assert.equal(await redis.ask("EXISTS", `instance:${instance}`), 0);
      assert.deepEqual(await online(table), new Set([host.id]));
      await host.next("player:status_changed", ofPlayer(ann, false));
      await host.next("player:left", of(ann), GRACE_MS + 20_000);
    } finally {
      await table.close({ check: false });
      await one.stop();
    }
  });
});
