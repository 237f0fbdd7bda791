// Whole sessions through the load balancers of `infra/`, each before two
// instances, nothing sticky, on a Redis as `infra/redis` has it; and a rolling
// restart under a session that plays on.

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { BALANCERS, startBalancer } from "./support/balancer.mjs";
import { Client } from "./support/client.mjs";
import { startConfiguredRedis } from "./support/configured_redis.mjs";
import { BRISK } from "./support/engine.mjs";
import { freePort } from "./support/ports.mjs";
import { PROMPT, UNLIMITED, startServer } from "./support/server.mjs";
import { Table, story } from "./support/table.mjs";

// Each server takes part in the end of this process.
process.setMaxListeners(64);

const METRICS_TOKEN = "0123456789abcdef";
/** Its eighth is for what is in flight at the end: a machine may stall so long. */
const DRAIN_SECONDS = 12;
const CARDS = ["1", "2", "3", "5", "8", "13"];

const redis = await startConfiguredRedis();
const houses = [];
after(async () => {
  await Promise.all(houses.flatMap(({ front, servers }) => [front, ...servers].map((one) => one.stop())));
  // Judged at the end: whatever was refused, a session went without.
  const refused = redis.ask("admin", "ACL", "LOG");
  await redis.stop();
  assert.doesNotMatch(refused, /username\s+"?cardroom/, "Redis refuses the server nothing");
});

/** At a port that is still free when it is started anew. */
const start = async (listen) =>
  startServer(
    {
      ...UNLIMITED,
      ...PROMPT,
      ...BRISK,
      "redis.url": redis.url,
      "redis.key_prefix": redis.prefix,
      "instances.shared_secret": "what the instances of this test share",
      "auth.token_keys": `[{ kid = "test", secret = "what the tokens of this test are signed with" }]`,
      "metrics.token": METRICS_TOKEN,
      "admin.token": METRICS_TOKEN,
      "server.drain_seconds": DRAIN_SECONDS,
    },
    listen ?? `127.0.0.1:${await freePort()}`,
  );

/** Two instances and what stands before them. */
async function house(kind) {
  const servers = await Promise.all([start(), start()]);
  const front = await startBalancer(kind, servers.map(({ url }) => url));
  const house = { url: front.url, front, servers };
  houses.push(house);
  return house;
}

async function metric(server, name) {
  const answer = await fetch(`${server.url}/metrics`, { headers: { Authorization: `Bearer ${METRICS_TOKEN}` } });
  assert.equal(answer.status, 200);
  const values = (await answer.text()).split("\n").filter((line) => line.startsWith(name));
  return values.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

/** Again until it is acknowledged: an attempt may have met the end of an instance. */
async function insist(player, event, payload) {
  for (const end = Date.now() + 30_000; ; ) {
    try {
      const ack = await player.socket.timeout(2_000).emitWithAck(event, payload);
      if (ack.ok) return ack;
      if (!["SERVER_SHUTDOWN", "SERVER_BUSY", "STATE_UNAVAILABLE"].includes(ack.error.code)) {
        throw new assert.AssertionError({ message: `${event} was refused: ${JSON.stringify(ack.error)}` });
      }
    } catch (error) {
      if (error instanceof assert.AssertionError || end < Date.now()) throw error;
    }
    await sleep(50);
  }
}

/** Comes back by itself, with its token. */
function returning(table, transport) {
  const wide = new Table(table.server, transport);
  const client = wide.client({
    reconnection: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 500,
    auth: (give) => give(client.joined ? { sessionId: table.id, playerToken: client.joined.playerToken } : {}),
  });
  client.connects = [];
  client.socket.on("connect", () => client.connects.push(client.socket.recovered));
  table.clients.push(client);
  return client;
}

for (const kind of BALANCERS) {
  describe(`through ${kind}`, async () => {
    const two = await house(kind);

    story(two, "a session plays from the opening to the export", async (table) => {
      const host = await table.open({ name: "Sprint 12" });
      const players = [];
      for (const name of ["Ann", "Bob", "Cid"]) players.push(await table.join(name));
      const all = [host, ...players];
      for (let round = 1; round <= 3; round += 1) {
        await Promise.all(all.map((one, index) => one.do("vote:submit", table.vote(CARDS[index + round - 1]))));
        await host.do("cards:reveal");
        for (const one of all) {
          const { votes, roundId } = await one.next("cards:revealed");
          assert.deepEqual(new Set(votes.map(({ value }) => value)), new Set(CARDS.slice(round - 1, round + 3)));
          assert.equal(roundId, round);
        }
        await host.do("game:reset");
        for (const one of all) await one.next("game:reset");
      }
      const path = `${two.url}/api/v1/sessions/${table.id}`;
      const headers = { Authorization: `Bearer ${host.joined.playerToken}` };
      const history = await (await fetch(`${path}/export?format=json`, { headers })).json();
      assert.ok(JSON.stringify(history).includes("Sprint 12"));
      await host.do("session:end");
      for (const one of all) await one.next("session:ended");
      for (const one of all) assert.deepEqual([one.heard("(disconnect)").length, one.problems], [0, []]);
      for (const one of all) one.close();
      table.clients = [];
    });

    story(two, "large messages, both ways", async (table) => {
      const host = await table.open();
      const ann = await table.join("Ann");
      const stories = Array.from({ length: 124 }, (_, row) => ({ title: `Story ${row}`, description: "d".repeat(400) }));
      const data = JSON.stringify(stories);
      assert.ok(50_000 < data.length, `${data.length} bytes up`);
      for (let part = 0; part < 4; part += 1) {
        assert.deepEqual((await host.do("story:import", { format: "json", data })).rejected, []);
        await ann.next("stories:changed");
      }
      const bob = await table.join("Bob");
      const down = JSON.stringify(bob.joined).length;
      assert.ok(200_000 < down, `${down} bytes down`);
      await bob.do("vote:submit", table.vote("5"));
      await ann.next("vote:submitted");
    });

    it("leaves operators' pages inside, and uses both instances", async () => {
      for (const path of ["/metrics", "/api/v1/status"]) {
        const headers = { Authorization: `Bearer ${METRICS_TOKEN}` };
        assert.equal((await fetch(two.servers[0].url + path, { headers })).status, 200);
        assert.equal((await fetch(two.url + path, { headers })).status, 404);
      }
      for (const server of two.servers) {
        assert.ok((await metric(server, "cardroom_connections_opened_total")) > 0, "each has connections");
        assert.ok((await metric(server, "cardroom_relayed_total")) > 0, "each relays for the other");
      }
    });
  });

  it(`a rolling restart behind ${kind} loses no acknowledged vote`, { timeout: 120_000 }, async (t) => {
    const own = await house(kind);
    const table = new Table(own, "websocket");
    // However it ends: one that comes back for ever would keep this process.
    t.after(() => table.clients.forEach((client) => client.close()));
    const host = returning(table, "websocket");
    // Or the cards are shown as soon as those who are here have voted.
    const settings = { autoReveal: false };
    const opened = await host.do("session:create", { name: "Sprint 12", playerName: "Hanna", settings });
    await host.next("session:joined");
    Object.assign(table, { id: opened.sessionId, story: opened.currentStory.id });
    const players = [host];
    for (const transport of ["websocket", "polling", "polling", "upgrade", "upgrade"]) {
      const player = returning(table, transport);
      await player.do("session:join", { sessionId: table.id, playerName: `Guest ${players.length}` });
      await player.next("session:joined");
      players.push(player);
    }

    let isOver = false;
    let rounds = 0;
    let requests = 0;
    async function play() {
      while (!isOver) {
        rounds += 1;
        const votes = new Map();
        await Promise.all(
          players.map(async (player, index) => {
            const value = CARDS[(index + rounds) % CARDS.length];
            const ack = await insist(player, "vote:submit", table.vote(value, { requestId: `v${(requests += 1)}` }));
            assert.equal(ack.value, value);
            votes.set(player.id, value);
          }),
        );
        await insist(host, "cards:reveal", { requestId: `r${(requests += 1)}` });
        for (const player of players) {
          const round = rounds;
          const shown = await player.next("cards:revealed", ({ roundId }) => roundId === round, 20_000);
          assert.deepEqual(new Map(shown.votes.map(({ playerId, value }) => [playerId, value])), votes);
        }
        await insist(host, "game:reset", { requestId: `g${(requests += 1)}` });
        // Whoever voted before hearing of it might be told that the old round is over.
        for (const player of players) {
          await player.next("game:reset", ({ round }) => round.roundId === rounds + 1, 20_000);
          player.unread();
        }
      }
    }

    const playing = play();
    let failure = null;
    playing.catch((error) => (failure = error));
    try {
      for (const [index, server] of own.servers.entries()) {
        await sleep(1_500);
        if (failure) throw failure;
        const before = rounds;
        assert.deepEqual(await server.stop(), { code: 0, signal: null }, `it drained: ${server.log()}`);
        own.servers[index] = await start(new URL(server.url).host);
        console.log(`# ${kind}: instance ${index + 1} restarted; ${rounds - before} rounds meanwhile`);
      }
      await sleep(1_500);
    } finally {
      isOver = true;
    }
    await playing;
    await Promise.all(players.map((player) => player.connected()));
    const returns = players.map(({ connects }) => connects.length - 1);
    const anew = players.flatMap(({ connects }) => connects.slice(1)).filter((recovered) => !recovered).length;
    console.log(`# ${kind}: ${rounds} rounds; came back ${returns.join(", ")} times, ${anew} of them anew`);
    assert.ok(returns.every((times) => 0 < times), "everybody was sent away once or twice");
    await table.close();
  });
}

it("keeps on disk what was acknowledged, whatever the users may do", async () => {
  const own = await startConfiguredRedis();
  const settings = { "redis.url": own.url, "redis.key_prefix": own.prefix };
  let server = await startServer({ ...UNLIMITED, ...settings });
  const call = async (method, path, body, token) => {
    const headers = { "content-type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
    return (await fetch(`${server.url}/api/v1/sessions${path}`, { method, headers, body: body && JSON.stringify(body) })).json();
  };
  try {
    const { sessionId, hostToken } = await call("POST", "", { name: "Sprint 12", playerName: "Hanna" });
    await call("POST", `/${sessionId}/stories`, { title: "A story" }, hostToken);
    // Nobody is left who could put it back.
    await server.stop();
    await own.restart();
    server = await startServer({ ...UNLIMITED, ...settings });
    const card = await call("GET", `/${sessionId}`);
    assert.equal(card.name, "Sprint 12", JSON.stringify(card));
    assert.equal(Number(own.ask("admin", "XLEN", `cardroom:session:{${sessionId}}:log`)) > 1, true);
  } finally {
    await server.stop();
    await own.stop();
  }
});

it("lets the exporter see figures, and nothing of a session", () => {
  assert.match(redis.ask("exporter", "INFO", "memory"), /used_memory:/);
  for (const words of [["KEYS", "*"], ["GET", "cardroom:x"], ["CONFIG", "GET", "*"], ["SLOWLOG", "GET"], ["MONITOR"], ["SUBSCRIBE", "cardroom:x"]]) {
    assert.match(redis.ask("exporter", ...words), /^NOPERM/, words.join(" "));
  }
});

it("has the Redis that the settings promise", () => {
  const setting = (name) => redis.ask("admin", "CONFIG", "GET", name).split("\n")[1];
  assert.deepEqual(
    ["appendonly", "appendfsync", "maxmemory-policy", "save"].map(setting),
    ["yes", "always", "noeviction", undefined],
  );
});
