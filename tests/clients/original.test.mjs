// A client that knows only the names of the original specification, and asks
// for no acknowledgement, plays a whole game.

import assert from "node:assert/strict";

import { PROMPT, UNLIMITED } from "./support/server.mjs";
import { serve, story } from "./support/table.mjs";

const server = await serve({ ...UNLIMITED, ...PROMPT, "session.disconnect_grace_ms": 0, "auth.reclaim": "open" });

story(server, "only the original events", async (table) => {
  await table.open({ settings: { preset: "open" } });
  const [ann, bob] = [await table.stranger(), await table.stranger()];
  const joined = [];
  for (const [client, playerName] of [[ann, "Ann"], [bob, "Bob"]]) {
    client.tell("session:join", { sessionId: table.id, playerName });
    const told = await client.next("session:joined");
    assert.deepEqual(Object.keys(told).filter((key) => ["sessionId", "player", "players", "stories", "currentStory", "timer", "config"].includes(key)).length, 7);
    joined.push(told.player);
  }
  assert.equal((await ann.next("player:joined")).player.name, "Bob");
  const storyId = ann.joined.currentStory.id;

  ann.tell("story:update", { title: "Original", description: "As it was" });
  assert.equal((await bob.next("story:updated")).story.title, "Original");
  ann.tell("vote:submit", { storyId, value: "5", confidence: 3 });
  bob.tell("vote:submit", { storyId, value: "8" });
  const voted = [await ann.next("vote:submitted"), await ann.next("vote:submitted")];
  assert.deepEqual(voted.map(({ voteCount }) => voteCount), [1, 2]);
  bob.tell("vote:change", { storyId, value: "5" });
  await ann.next("vote:submitted");

  ann.tell("timer:start", { duration: 60 });
  assert.equal((await bob.next("timer:updated")).timer.isRunning, true);
  ann.tell("timer:stop");
  assert.equal((await bob.next("timer:updated")).timer.isRunning, false);

  ann.tell("cards:reveal");
  const { votes, consensus } = await bob.next("cards:revealed");
  const mine = votes.find(({ playerId }) => playerId === joined[0].id);
  assert.deepEqual([mine.playerName, mine.value, mine.confidence], ["Ann", "5", 3]);
  assert.deepEqual([consensus.hasConsensus, consensus.suggestedValue, consensus.averageValue, consensus.deviation], [true, "5", 5, 0]);

  // A mistake is told, not dropped.
  bob.tell("vote:submit", { storyId, value: "8" });
  const error = await bob.next("session:error");
  assert.deepEqual([error.code, error.event], ["ROUND_REVEALED", "vote:submit"]);
  assert.ok(error.error.length > 0);

  bob.tell("game:reset");
  await ann.next("game:reset");
  bob.tell("player:update", { name: "Robert" });
  assert.equal((await ann.next("player:updated")).player.name, "Robert");
  // He hears of himself before he forgets what he was told.
  await bob.next("player:updated");
  bob.tell("session:leave", {});
  assert.equal((await ann.next("player:left")).playerId, joined[1].id);
  bob.forget();
});

story(server, "a seat is taken back with the bare id where that is allowed", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  const thief = await table.stranger();
  await thief.refused("INVALID_PLAYER_TOKEN", "session:join", { sessionId: table.id, playerId: ann.id, playerName: "Ann" });
  ann.socket.disconnect();
  await host.next("player:left");
  const back = await table.stranger();
  back.tell("session:join", { sessionId: table.id, playerId: ann.id, playerName: "Ann" });
  assert.equal((await back.next("session:joined")).player.id, ann.id);
});
