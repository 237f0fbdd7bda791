// A server that can keep nothing for a while.

import { after, it } from "node:test";
import assert from "node:assert/strict";

import { refusal, Room, serve, until } from "./support/people.mjs";
import { startRedis } from "./support/redis.mjs";

it("saving is paused, and the last vote is kept for later", async () => {
  const redis = await startRedis();
  after(() => redis.stop());
  const server = await serve({ "redis.url": redis.url, "redis.command_timeout_ms": 3_000 });
  const room = new Room(server.url, ["websocket"]);
  after(() => room.close());
  const host = await room.open();
  const ann = await room.join("Ann");
  await ann.vote("3");

  redis.freeze();
  const later = ann.vote("8");
  await until(ann, () => ann.connection.status === "saving-paused");
  assert.deepEqual(ann.state.myVote, { value: "8", saved: false });
  // As long as the vote waits: sent again in vain, it is no better.
  const statuses = new Set();
  const end = ann.subscribe(() => statuses.add(ann.connection.status));
  await refusal("STATE_UNAVAILABLE", host.createStory({ title: "Lost" }));
  await refusal("STATE_UNAVAILABLE", host.createStory({ title: "Lost as well" }));
  await refusal("STATE_UNAVAILABLE", host.createStory({ title: "Lost, too" }));
  end();
  assert.deepEqual([...statuses], ["saving-paused"]);
  redis.thaw();
  await later;
  assert.equal(ann.connection.status, "online");
  assert.deepEqual(ann.state.myVote, { value: "8", saved: true });
  await host.createStory({ title: "Kept" });
  await until(ann, () => ann.state.stories.length === 2);
});
