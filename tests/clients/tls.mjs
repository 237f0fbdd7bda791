// The unmodified client at a port that speaks TLS.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import https from "node:https";
import { io } from "socket.io-client";

import { next, story, transports, url } from "./story.mjs";

const ca = readFileSync(process.argv[4]);
const connect = () => io(url, { transports, ca, forceNew: true });
const socket = connect();
const neighbour = connect();
let created;

await story({
  connects: () => Promise.all([next(socket, "connect"), next(neighbour, "connect")]),
  "upgrades if it may": async () => {
    const { engine } = socket.io;
    if (engine.transport.name !== transports.at(-1)) await next(engine, "upgrade");
    assert.equal(engine.transport.name, transports.at(-1));
  },
  plays: async () => {
    created = await socket.emitWithAck("session:create", { name: "Planning", playerName: "Hanna" });
    assert.equal(created.ok, true);
    const joined = await neighbour.emitWithAck("session:join", { sessionId: created.sessionId, playerName: "Ann" });
    assert.equal(joined.ok, true);
    const shown = next(neighbour, "cards:revealed");
    const vote = { storyId: created.currentStory.id, value: "5" };
    assert.equal((await socket.emitWithAck("vote:submit", vote)).ok, true);
    assert.equal((await socket.emitWithAck("cards:reveal", {})).ok, true);
    const [{ votes }] = await shown;
    assert.deepEqual(votes.map((one) => one.value).sort(), ["5", null]);
  },
  "hears large messages whole": async () => {
    const stories = Array.from({ length: 20 }, (_, number) => ({ title: `${number} ${"x".repeat(150)}`, description: "y".repeat(1_000) }));
    await Promise.all(stories.map((one) => socket.emitWithAck("story:create", one)));
    const { snapshot } = await neighbour.emitWithAck("session:sync", {});
    assert.ok(JSON.stringify(snapshot).length > 5_000);
  },
  "is told to come back by TLS": async () => {
    const answer = await new Promise((resolve, reject) => https.get(`${url}/`, { ca }, resolve).on("error", reject));
    answer.resume();
    assert.equal(answer.headers["strict-transport-security"], "max-age=31536000");
  },
  ends: async () => {
    socket.disconnect();
    neighbour.disconnect();
  },
});
