// Several instances on one Redis, and a load balancer that knows of no
// stickiness: every request of a connection meets another instance.

import assert from "node:assert/strict";
import { after, it } from "node:test";

import { startProxy } from "./support/proxy.mjs";
import { startRedis } from "./support/redis.mjs";
import { PROMPT, UNLIMITED, startServer } from "./support/server.mjs";
import { Table, story } from "./support/table.mjs";

const redis = await startRedis();
after(() => redis.stop());

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
  }
  for (const one of all) {
    await one.settle();
    assert.equal(one.heard("(disconnect)").length, 0);
    assert.equal(one.heard("vote:submitted").length, 12);
  }
});

it("sends what comes in a burst once each, in order", async () => {
  const table = new Table(three, "polling");
  let check = false;
  try {
    const host = await table.open();
    const ann = await table.join("Ann");
    const titles = Array.from({ length: 60 }, (_, number) => `story ${number}`);
    await Promise.all(titles.map((title) => ann.do("story:create", { title }).catch(() => host.do("story:create", { title }))));
    const told = [];
    while (told.length < titles.length) told.push((await host.next("story:created")).story.title);
    assert.deepEqual([...told].sort(), [...titles].sort());
    check = true;
  } finally {
    await table.close({ check });
  }
});

it("costs the clients of a killed instance one reconnect, and the others nothing", async () => {
  const mortal = await house(3);
  const table = new Table(mortal, "polling");
  try {
    const again = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 100 };
    await table.open();
    const players = [];
    for (let number = 0; number < 9; number++) players.push(await table.join(`P${number}`, {}, again));
    // Whoever has the host is spared: the host's client does not reconnect.
    const ownerOf = (client) => mortal.proxy.owners.get(client.socket.io.engine.id);
    const victim = (ownerOf(table.host) + 1) % 3;
    const struck = players.filter((one) => ownerOf(one) === victim);
    const spared = players.filter((one) => ownerOf(one) !== victim);
    assert.ok(struck.length >= 2 && spared.length >= 2, `${struck.length} of ${players.length}`);

    mortal.proxy.counts.unknown = 0;
    const killed = Date.now();
    await mortal.servers[victim].signal("SIGKILL");
    for (const one of struck) {
      const { reason } = await one.next("(disconnect)");
      assert.match(reason, /^transport (error|close)$/);
    }
    const noticed = Date.now() - killed;
    assert.ok(noticed < 2_000, `noticed after ${noticed} ms`);
    for (const one of struck) {
      await one.connected();
      await one.do("session:join", { sessionId: table.id, playerToken: one.joined.playerToken });
      await one.next("session:joined");
    }
    for (const one of [table.host, ...players]) await one.do("vote:submit", table.vote("5"));
    await table.host.do("cards:reveal");
    for (const one of [table.host, ...players]) {
      assert.equal((await one.next("cards:revealed")).votes.length, 10);
      const count = struck.includes(one) ? 1 : 0;
      assert.equal(one.heard("(disconnect)").length, count);
      assert.equal(one.heard("(connect_error)").length, 0);
    }
  } finally {
    await table.close({ check: false });
    await mortal.stop();
  }
});

it("asks Redis about an owner once in a while, and never about an invented one", async () => {
  const lookups = () => redis.calls("hmget");
  const table = new Table(three, "polling");
  try {
    const host = await table.open();
    const sid = host.socket.io.engine.id;
    const ask = (id) => fetch(`${three.url}/socket.io/?EIO=4&transport=polling&sid=${id}`, { method: "POST", body: "4x" });
    const before = await lookups();
    for (let number = 0; number < 300; number++) {
      const letters = Buffer.from(`${sid}`);
      letters[number % 32] = letters[number % 32] === 65 ? 66 : 65;
      const answer = await ask(letters.toString());
      assert.deepEqual([answer.status, await answer.json()], [400, { code: 1, message: "Session ID unknown" }]);
    }
    const invented = (await lookups()) - before;
    // Three instances that give signs of life, and one client that polls.
    assert.ok(invented < 20, `${invented} lookups`);
  } finally {
    await table.close({ check: false });
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
