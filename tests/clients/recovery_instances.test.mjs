// Connection state recovery on another instance, with sessions in a real
// Redis: instances are killed, paused, and left behind.

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";

import { TRANSPORTS, Table, names, overEveryTransport } from "./recovery_client.mjs";
import { BRISK } from "./support/engine.mjs";
import { startRedis } from "./support/redis.mjs";
import { UNLIMITED, startServer } from "./support/server.mjs";

// Each server takes part in the end of this process.
process.setMaxListeners(64);

const redis = await startRedis();
const started = new Set();
after(async () => {
  for (const server of started) {
    await server.stop();
  }
  await redis.stop();
});

async function instance(settings = {}) {
  const server = await startServer({
    ...UNLIMITED,
    ...BRISK,
    "log.level": "info",
    "redis.url": redis.url,
    "auth.token_keys": '[{ kid = "one", secret = "0123456789abcdef0123456789abcdef" }]',
    // An instance that was left behind learns of it soon; none is forgotten
    // because the machine is busy.
    "instances.lease_ms": 6_000,
    "instances.renew_ms": 300,
    "session.disconnect_grace_ms": 120_000,
    ...settings,
  });
  started.add(server);
  return server;
}

/** Whoever comes says to which instance. */
class WideTable extends Table {
  stranger(server) {
    return this.meet(server.url);
  }

  open(server) {
    return this.found(server.url, { settings: { preset: "open" } });
  }

  join(server, playerName) {
    return this.seat(server.url, playerName);
  }
}

const story = (title, tell) => overEveryTransport(title, (transport) => new WideTable(transport), tell);

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const one = await instance();
const other = await instance();

story("a connection is cut: another instance gives the socket back", async (table) => {
  const host = await table.open(one);
  const ann = await table.join(one, "Ann");
  await table.quiet();
  const { id } = ann;
  const heard = ann.heard.length;
  // To the other one, back, and to the other one again.
  for (const [index, server] of [other, one, other].entries()) {
    ann.front.target = server.url;
    const back = await ann.lose("cut", () => host.do("vote:submit", table.vote(["1", "2", "3"][index])));
    assert.deepEqual([back.recovered, back.id], [true, id]);
    assert.deepEqual(names(ann.heard.slice(heard, back.before)), Array(index + 1).fill("vote:submitted"));
  }
  await ann.do("vote:submit", table.vote("8"));
  assert.deepEqual(names(ann.heard.slice(heard)), Array(4).fill("vote:submitted"));
  await host.until(() => host.lastSeq === ann.lastSeq, "the last vote");
  assert.deepEqual(names(host.unread()), Array(4).fill("vote:submitted"));
});

story("a, c: nothing received, and nobody has noticed", async (table) => {
  const stranger = await table.stranger(one);
  const before = stranger.id;
  stranger.front.target = other.url;
  const again = await stranger.lose("cutUnnoticed");
  assert.deepEqual([again.recovered, again.id], [true, before]);

  const host = await table.open(one);
  const ann = await table.join(one, "Ann");
  await table.quiet();
  const heard = ann.heard.length;
  ann.socket._lastOffset = undefined;
  ann.front.target = other.url;
  const back = await ann.lose("cutUnnoticed", () => host.do("vote:submit", table.vote("5")));
  assert.equal(back.recovered, true);
  assert.deepEqual(names(ann.heard.slice(heard)), ["vote:submitted"]);
  // The first instance finds out when it renews, and nobody departs by that.
  await pause(1_500);
  const { snapshot } = await host.do("session:sync");
  assert.deepEqual(snapshot.players.map(({ isOnline }) => isOnline), [true, true]);
  assert.deepEqual(names(host.unread()), ["vote:submitted"]);
  assert.equal((await ann.lose("cut")).recovered, true);
});

story("d: the instance is killed", async (table) => {
  const doomed = await instance();
  const host = await table.open(doomed);
  const ann = await table.join(doomed, "Ann");
  const bob = await table.join(other, "Bob");
  const fresh = await table.stranger(doomed);
  await table.quiet();
  const ids = [host, ann, fresh].map(({ id }) => id);
  const heard = ann.heard.length;
  for (const one of [host, ann, fresh]) one.front.target = other.url;
  await doomed.signal("SIGKILL");
  started.delete(doomed);
  await bob.do("vote:submit", table.vote("5"));
  const back = await Promise.all([host, ann, fresh].map((one) => one.connected(2)));
  assert.deepEqual(back.map(({ recovered }) => recovered), [true, true, true]);
  assert.deepEqual(back.map(({ id }) => id), ids);
  await ann.do("vote:submit", table.vote("8"));
  await host.do("vote:submit", table.vote("8"));
  await bob.until(() => bob.lastSeq === host.lastSeq, "the last vote");
  await ann.until(() => ann.lastSeq === host.lastSeq, "the last vote");
  for (const heardByOne of [ann.heard.slice(heard), bob.unread()]) {
    assert.deepEqual(names(heardByOne), ["vote:submitted", "vote:submitted", "vote:submitted"]);
  }
});

story("c: the instance is paused, and wakes when all is over", async (table) => {
  const sleepy = await instance();
  const host = await table.open(other);
  const ann = await table.join(sleepy, "Ann");
  await table.quiet();
  const { id } = ann;
  const heard = ann.heard.length;
  await sleepy.signal("SIGSTOP");
  ann.front.target = other.url;
  const back = await ann.lose("cutUnnoticed", () => host.do("vote:submit", table.vote("5")));
  assert.deepEqual([back.recovered, back.id], [true, id]);
  await ann.do("vote:submit", table.vote("8"));
  await sleepy.signal("SIGCONT");
  await pause(1_500);
  await host.do("vote:change", table.vote("13"));
  await ann.do("session:sync");
  assert.deepEqual(names(ann.heard.slice(heard)), ["vote:submitted", "vote:submitted", "vote:submitted"]);
  const { snapshot } = await host.do("session:sync");
  assert.deepEqual(snapshot.players.map(({ isOnline }) => isOnline), [true, true]);
  assert.equal((await ann.lose("cut")).recovered, true);
});

describe("under load, while instances are killed", () => {
  const VOTERS = 12;
  const ROUNDS = 4;

  it("everybody comes back, misses nothing, and sees no card before its time", async () => {
    const instances = [await instance(), await instance(), await instance()];
    const table = new WideTable("websocket");
    const transports = Object.keys(TRANSPORTS);
    let next = 0;
    const anyUrl = () => instances[(next += 1) % instances.length].url;
    try {
      const cards = Array.from({ length: VOTERS }, (_, index) => `CARD${"ABCDEFGHIJKLMNOP"[index]}`);
      const host = await table.open({ url: anyUrl() });
      await host.do("session:configure", { deck: { name: "Sentinels", cards } });
      const voters = [];
      for (const [index, card] of cards.entries()) {
        table.transport = transports[index % transports.length];
        const voter = await table.join({ url: anyUrl() }, `V${index}`);
        voters.push(Object.assign(voter, { card }));
      }
      for (const traveller of table.travellers) {
        const elsewhere = () => (traveller.front.target = anyUrl());
        traveller.socket.on("disconnect", elsewhere);
        traveller.socket.io.on("reconnect_error", elsewhere);
      }
      let isOver = false;
      const votes = voters.map(async (voter) => {
        while (!isOver) {
          // Sent again under the same id until it is answered: it counts once.
          const request = `${voter.card}${Math.random()}`.replace(".", "");
          for (let ack; ack === undefined && !isOver; ) {
            ack = await voter.socket.timeout(1_000).emitWithAck("vote:submit", { ...table.vote(voter.card), requestId: request }).catch(() => undefined);
            if (ack?.ok === false && ack.error.code !== "STATE_UNAVAILABLE") throw new Error(JSON.stringify(ack));
          }
          await voter.socket.timeout(1_000).emitWithAck("vote:retract", { storyId: table.story }).catch(() => undefined);
          await pause(20);
        }
      });
      for (let round = 0; round < ROUNDS; round += 1) {
        await pause(700);
        const index = round % instances.length;
        const victim = instances[index];
        instances.splice(index, 1);
        await victim.signal("SIGKILL");
        started.delete(victim);
        instances.push(await instance());
      }
      await pause(1_500);
      isOver = true;
      await Promise.all(votes);
      for (const traveller of table.travellers) {
        await traveller.until(() => traveller.socket.connected, "connection");
        await traveller.do("session:sync");
      }
      const connects = table.travellers.flatMap(({ connects }) => connects.slice(1));
      assert.ok(ROUNDS < connects.length, `${connects.length} reconnects`);
      assert.deepEqual(connects.filter(({ recovered }) => !recovered), []);
      for (const voter of voters) {
        const heard = JSON.stringify(voter.heard.filter(({ name }) => name !== "session:joined" && name !== "session:updated"));
        for (const card of cards) assert.ok(card === voter.card || !heard.includes(card), `${card} at ${voter.card}`);
      }
      console.log(`recovered ${connects.length} of ${connects.length} connections of ${table.travellers.length} clients, ${ROUNDS} instances killed`);
    } finally {
      table.close();
    }
  });
});

describe("without the store", () => {
  it("there is no way back, and the client is let in all the same", async () => {
    const table = new WideTable("websocket");
    try {
      const server = await instance({ "redis.command_timeout_ms": 2_000 });
      const host = await table.open(server);
      await host.do("vote:submit", table.vote("5"));
      redis.pause();
      const back = await host.lose("cut");
      assert.equal(back.recovered, false);
      await server.logged(/not recovered.*reason="store away"/);
      redis.resume();
      let ack;
      do {
        ack = await host.ask("session:join", { sessionId: table.id, playerToken: host.token });
      } while (ack.error?.code === "STATE_UNAVAILABLE");
      assert.equal(ack.ok, true, JSON.stringify(ack.error));
      assert.equal((await host.lose("cut")).recovered, true);
    } finally {
      redis.resume();
      table.close();
    }
  });
});
