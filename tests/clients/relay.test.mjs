// Several instances on one Redis, and a load balancer that knows of no
// stickiness: every request of a connection meets another instance.

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, it } from "node:test";

import WebSocket from "ws";

import { startProxy } from "./support/proxy.mjs";
import { startRedis } from "./support/redis.mjs";
import { PROMPT, UNLIMITED, startServer } from "./support/server.mjs";
import { Table, story } from "./support/table.mjs";

// Each server takes part in the end of this process.
process.setMaxListeners(64);

const redis = await startRedis();
after(() => redis.stop());

/** At once, on a busy machine: a lease and all time-outs are longer. */
const NOTICED_MS = 10_000;

const SETTINGS = {
  ...UNLIMITED,
  ...PROMPT,
  "redis.url": redis.url,
  "instances.shared_secret": "what the instances of this test share",
  "auth.token_keys": `[{ kid = "test", secret = "what the tokens of this test are signed with" }]`,
};

/** So many instances, and what stands in front of them. */
async function house(count, settings = {}) {
  const servers = await Promise.all(Array.from({ length: count }, () => startServer({ ...SETTINGS, ...settings })));
  const proxy = await startProxy(servers.map((server) => server.url));
  const stop = async () => {
    proxy.stop();
    await Promise.all(servers.map((server) => server.stop()));
  };
  return { url: proxy.url, servers, proxy, stop };
}

const three = await house(3);
after(() => three.stop());

story(three, "a session plays from the first join to the reveal", async (table) => {
  const host = await table.open({ playerName: "Hanna" });
  const players = [];
  for (const name of ["Ann", "Bob", "Cid"]) players.push(await table.join(name));
  const all = [host, ...players];
  const cards = ["5", "8", "5", "13"];
  for (let round = 1; round <= 3; round++) {
    await Promise.all(all.map((one, index) => one.do("vote:submit", table.vote(cards[index]))));
    await host.do("cards:reveal");
    for (const one of all) {
      const shown = await one.next("cards:revealed");
      assert.deepEqual(shown.votes.map((vote) => vote.value).sort(), ["13", "5", "5", "8"]);
      assert.equal(shown.roundId, round);
    }
    await host.do("game:reset");
    for (const one of all) await one.next("game:reset");
  }
  for (const one of all) {
    await one.settle();
    assert.equal(one.heard("(disconnect)").length, 0);
    assert.equal(one.heard("vote:submitted").length, 12);
  }
});

it("brings a burst once each, in order", async () => {
  const table = new Table(three, "polling");
  let check = false;
  try {
    const host = await table.open();
    const ann = await table.join("Ann");
    for (let burst = 0; burst < 5; burst++) {
      const titles = Array.from({ length: 50 }, (_, number) => `story ${burst}.${number}`);
      await Promise.all(titles.map((title) => host.do("story:create", { title })));
      for (const title of titles) assert.equal((await ann.next("story:created")).story.title, title);
    }
    check = true;
  } finally {
    await table.close({ check });
  }
});

it("costs the clients of a killed instance one reconnect, and the others nothing", async () => {
  const mortal = await house(3);
  const { proxy } = mortal;
  const table = new Table(mortal, "polling");
  try {
    // Nobody is back before the kernel has taken the last connection of the dead.
    const again = { reconnection: true, reconnectionDelay: 500, reconnectionDelayMax: 1_000 };
    const host = await table.open();
    const players = [];
    const sidOf = (client) => client.socket.io.engine.id;
    const ownerOf = (client) => proxy.owners.get(sidOf(client));
    const ownedBy = (index) => players.filter((one) => ownerOf(one) === index);
    // Not by turns: clients of one kind make the same number of requests, and
    // fall into step.
    for (let number = 0; number < 12; number++) {
      proxy.openAt(number % 3);
      players.push(await table.join(`P${number}`, {}, again));
    }
    proxy.openAt(null);
    for (const index of [0, 1, 2]) assert.equal(ownedBy(index).length, 4);
    // The host's client does not reconnect.
    const all = [host, ...players];
    await table.quiet();
    let victim;
    for (const end = Date.now() + 10_000; ; await host.do("heartbeat", { timestamp: 1 })) {
      // Everybody has heard everything, and polls again.
      await new Promise((resolve) => setTimeout(resolve, 100));
      victim = [0, 1, 2].find((index) => index !== ownerOf(host) && !proxy.sidsAt(index).has(sidOf(host)));
      if (victim !== undefined) break;
      assert.ok(Date.now() < end, "the host polls everywhere");
    }
    // Theirs are the connections it has, and the requests that it relays.
    const owned = ownedBy(victim);
    const relayed = players.filter((one) => proxy.sidsAt(victim).has(sidOf(one)));
    const struck = new Set([...owned, ...relayed]);

    proxy.counts.unknown = 0;
    const killed = Date.now();
    await mortal.servers[victim].signal("SIGKILL");
    for (const one of struck) assert.match((await one.next("(disconnect)")).reason, /^transport (error|close)$/);
    const noticed = Date.now() - killed;
    assert.ok(noticed < NOTICED_MS, `noticed after ${noticed} ms`);
    for (const one of struck) {
      await one.connected();
      await one.do("session:join", { sessionId: table.id, playerToken: one.joined.playerToken });
      await one.next("session:joined");
    }
    for (const one of all) await one.do("vote:submit", table.vote("5"));
    await host.do("cards:reveal");
    for (const one of all) {
      assert.equal((await one.next("cards:revealed")).votes.length, all.length);
      assert.equal(one.heard("(disconnect)").length, struck.has(one) ? 1 : 0);
      assert.equal(one.heard("(connect_error)").length, 0);
    }
    console.log(`killed the owner of ${owned.length} of ${all.length}: all noticed in ${noticed} ms`);
  } finally {
    await table.close({ check: false });
    await mortal.stop();
  }
});

it("asks Redis about an owner once in a while, and never about an invented one", async () => {
  // A Redis in which nobody else looks anything up.
  const quiet = await startRedis();
  // Hundreds of pongs in a second are no flood here.
  const pair = await house(2, { "redis.url": quiet.url, "engine.idle_packets_per_second_max": 10_000 });
  const path = "/socket.io/?EIO=4&transport=polling";
  const post = (server, sid) => fetch(`${server.url}${path}&sid=${sid}`, { method: "POST", body: "3" });
  const open = async (server) => /"sid":"([^"]+)"/.exec(await (await fetch(server.url + path)).text())[1];
  const [here, there] = pair.servers;
  try {
    const lookups = () => quiet.calls("hmget");
    const before = await lookups();
    const sid = await open(there);
    for (let number = 0; number < 300; number++) {
      const letters = Buffer.from(sid);
      letters[number % 32] = letters[number % 32] === 65 ? 66 : 65;
      const answer = await post(here, letters);
      assert.deepEqual([answer.status, await answer.json()], [400, { code: 1, message: "Session ID unknown" }]);
    }
    assert.equal(await lookups(), before);

    const started = Date.now();
    for (let number = 0; number < 300; number++) assert.equal((await post(here, sid)).status, 200);
    const known = (await lookups()) - before;
    assert.ok(1 <= known && known <= 2 + (Date.now() - started) / 1_000, `${known} lookups`);

    const dying = await open(there);
    await there.signal("SIGKILL");
    const died = Date.now();
    for (let number = 0; number < 100; number++) assert.equal((await post(here, dying)).status, 400);
    assert.ok(Date.now() - died < NOTICED_MS);
    const dead = (await lookups()) - before - known;
    assert.ok(dead <= 2 + (Date.now() - died) / 1_000, `${dead} lookups`);
  } finally {
    await pair.stop();
    await quiet.stop();
  }
});

it("gives up an owner that is frozen, once its lease is over", { timeout: 120_000 }, async () => {
  const pair = await house(2, { "instances.lease_ms": 8_000, "instances.renew_ms": 500 });
  const [here, there] = pair.servers;
  const path = "/socket.io/?EIO=4&transport=polling";
  try {
    const open = async () => /"sid":"([^"]+)"/.exec(await (await fetch(there.url + path)).text())[1];
    const parked = fetch(`${here.url}${path}&sid=${await open()}`);
    const socket = new WebSocket(`${here.url}/socket.io/?EIO=4&transport=websocket&sid=${await open()}`);
    await once(socket, "open");
    socket.send("2probe");
    assert.equal(String((await once(socket, "message"))[0]), "3probe");
    const closed = once(socket, "close");
    await there.signal("SIGSTOP");
    const answer = await parked;
    assert.deepEqual([answer.status, await answer.json()], [400, { code: 1, message: "Session ID unknown" }]);
    assert.equal((await closed)[0], 1006);
  } finally {
    await pair.stop();
  }
});

it("refuses what claims to come from another instance", async () => {
  const url = `${three.url}/socket.io/?EIO=4&transport=polling`;
  for (const seal of ["", "127.0.0.1:1 x", "127.0.0.1:1 what the instances of this test share"]) {
    const answer = await fetch(url, { headers: { "cardroom-relay": seal } });
    assert.equal(answer.status, 403);
  }
});

it("relays nothing where no secret is shared", async () => {
  const strangers = await house(2, { "instances.shared_secret": "" });
  try {
    const open = await (await fetch(`${strangers.url}/socket.io/?EIO=4&transport=polling`)).text();
    const sid = /"sid":"([^"]+)"/.exec(open)[1];
    const elsewhere = await fetch(`${strangers.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, { method: "POST", body: "40" });
    assert.deepEqual([elsewhere.status, await elsewhere.json()], [400, { code: 1, message: "Session ID unknown" }]);
  } finally {
    await strangers.stop();
  }
});
