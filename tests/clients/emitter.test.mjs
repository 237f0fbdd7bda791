// The unmodified @socket.io/redis-emitter speaks to sessions, and to nothing else.

import { after } from "node:test";
import assert from "node:assert/strict";

import { Emitter } from "@socket.io/redis-emitter";
import { Redis } from "ioredis";

import { startRedis } from "./support/redis.mjs";
import { UNLIMITED } from "./support/server.mjs";
import { serve, story } from "./support/table.mjs";

const redis = await startRedis();
const server = await serve({ ...UNLIMITED, "redis.url": redis.url, "redis.emitter": true });
const publisher = new Redis(redis.url);
const io = new Emitter(publisher);
after(async () => {
  publisher.disconnect();
  await redis.stop();
});

/** Resolves once the server listens, which it says nowhere else. */
async function listening() {
  for (let attempts = 0; (await redis.ask("PUBSUB", "NUMPAT")) === 0; attempts += 1) {
    assert.ok(attempts < 1_200, "the server listens to the emitter");
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

story(server, "an event for a session reaches its clients as it was emitted", async (table) => {
  await listening();
  const host = await table.open();
  const ann = await table.join("Ann");
  record(host, ann);
  const room = `session:${table.id}`;
  const date = new Date(1_700_000_000_123);
  io.to(room).emit("announcement", "tea", { minutes: 5, gone: undefined, list: [1.5, -2, "ü"] }, date);
  // No text stands at the end, where clients look for an offset.
  const expected = ["tea", { minutes: 5, gone: null, list: [1.5, -2, "ü"] }, date.toJSON(), null];
  for (const client of [host, ann]) {
    const [first] = await hears(client, "announcement");
    delete first[1].gone;
    delete expected[1].gone;
    assert.deepEqual(first, expected);
  }

  io.to(room).except(ann.socket.id).emit("announcement", "not for Ann");
  io.to(room).volatile.emit("fleeting", 1);
  // Of one room named twice, and one that does not exist, nobody hears twice.
  io.to([room, room, "session:NOBODYKNOWSTHIS0"]).emit("announcement", "last");
  const forAnn = await hears(ann, "announcement", 2);
  assert.deepEqual(forAnn.at(-1), ["last", null]);
  const forHost = await hears(host, "announcement", 3);
  assert.deepEqual(forHost.slice(1), [["not for Ann", null], ["last", null]]);
});

story(server, "nobody forges the game, and no other room is spoken to", async (table) => {
  await listening();
  const host = await table.open();
  record(host);
  const room = `session:${table.id}`;
  io.to(room).emit("cards:revealed", { roundId: 1, votes: [] });
  io.to(room).emit("session:ended", { reason: "expired" });
  io.to(room).emit("binary", Buffer.from([1, 2, 3]));
  io.to(room).emit("huge", "x".repeat(100_000));
  io.to(host.socket.id).emit("unseen", 1);
  io.emit("unseen", 2);
  io.of("/admin").to(room).emit("unseen", 3);
  io.to(room).emit("announcement", "after all that");
  // No text stands at the end, where clients look for an offset.
  assert.deepEqual(await hears(host, "announcement"), [["after all that", null]]);
  assert.deepEqual(host.strange, [["announcement", "after all that", null]]);
  // The request channel has no listener that anybody would wait for.
  assert.deepEqual(await redis.ask("PUBSUB", "CHANNELS", "socket.io-request*"), []);
});

/** From now on, all that a client hears, with all its arguments. */
function record(...clients) {
  for (const client of clients) {
    client.strange = [];
    client.socket.onAny((...heard) => client.strange.push(heard));
  }
}

/** The arguments of the events of that name, as soon as there are so many. */
async function hears(client, name, count = 1) {
  for (let attempts = 0; ; attempts += 1) {
    const heard = client.strange.filter(([event]) => event === name).map(([, ...payload]) => payload);
    if (heard.length >= count) return heard;
    assert.ok(attempts < 1_200, `${count} ${name} come, not ${JSON.stringify(client.strange)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
