// The list of stories.

import assert from "node:assert/strict";

import { PROMPT, UNLIMITED } from "./support/server.mjs";
import { serve, story } from "./support/table.mjs";

const server = await serve({ ...UNLIMITED, ...PROMPT });

const titles = (snapshot) => snapshot.stories.map(({ title }) => title);

story(server, "create, reorder, delete", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  const tab = await table.tab(host);
  await table.quiet();

  const one = await host.do("story:create", { title: "One", key: "S-1", link: "https://example.org/1", clientRef: "mine" });
  const told = await ann.next("story:created");
  assert.deepEqual(
    [told.story.id, told.story.title, told.story.key, told.story.link, told.story.status, told.story.orderIndex, told.clientRef],
    [one.storyId, "One", "S-1", "https://example.org/1", "pending", 1, undefined],
  );
  // The author's tabs know it by the author's own name for it.
  assert.equal((await host.next("story:created")).clientRef, "mine");
  assert.equal((await tab.next("story:created")).clientRef, "mine");

  const two = await host.do("story:create", { title: "Two" });
  const half = await host.do("story:create", { title: "One and a half", afterId: one.storyId });
  assert.deepEqual(titles(await ann.settle()), ["", "One", "One and a half", "Two"]);
  await host.refused("STORY_NOT_FOUND", "story:create", { title: "Nowhere", afterId: "s99" });
  await table.quiet();

  await host.do("story:reorder", { storyId: two.storyId, beforeId: one.storyId });
  assert.deepEqual((await ann.next("stories:changed")).stories.map(({ title }) => title), ["", "Two", "One", "One and a half"]);
  await host.do("story:reorder", { storyId: two.storyId });
  await host.do("story:reorder", { storyId: two.storyId }); // is there already
  assert.deepEqual(await ann.news(), ["stories:changed"]);

  await host.do("story:delete", { storyId: half.storyId });
  assert.equal((await ann.next("story:deleted")).storyId, half.storyId);
  await host.refused("STORY_NOT_FOUND", "story:delete", { storyId: half.storyId });
  await host.refused("STORY_ACTIVE", "story:delete", { storyId: table.story });
  await ann.refused("FORBIDDEN", "story:create", { title: "Mine" });
  assert.deepEqual(titles(await ann.settle()), ["", "One", "Two"]);
});

story(server, "imports in three formats, with rows that fail", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await table.quiet();
  const long = "x".repeat(201);

  const lines = await host.do("story:import", { format: "lines", data: `Line 1\n\n${long}\n  Line 2 ` });
  assert.equal(lines.storyIds.length, 2);
  assert.deepEqual(lines.rejected.map(({ row }) => row), [2]);
  assert.match(lines.rejected[0].reason, /title .*200/);
  assert.equal((await ann.next("stories:changed")).stories.length, 3);

  const csv = await host.do("story:import", {
    format: "csv",
    data: 'key,title,description\nC-1,"Comma, quoted","two\nlines"\nC-2,,nothing\n',
  });
  assert.deepEqual([csv.storyIds.length, csv.rejected.map(({ row }) => row)], [1, [2]]);

  const json = await host.do("story:import", {
    format: "json",
    data: JSON.stringify(["Json 1", { title: "Json 2", link: "https://example.org" }, { title: "Bad", link: "javascript:0" }, 7]),
  });
  assert.deepEqual([json.storyIds.length, json.rejected.map(({ row }) => row)], [2, [3, 4]]);

  const snapshot = await ann.settle();
  assert.deepEqual(titles(snapshot), ["", "Line 1", "Line 2", "Comma, quoted", "Json 1", "Json 2"]);
  const quoted = snapshot.stories[3];
  assert.deepEqual([quoted.key, quoted.description], ["C-1", "two\nlines"]);
  assert.deepEqual(await ann.news(), ["stories:changed", "stories:changed"]);

  assert.equal((await host.refused("BAD_REQUEST", "story:import", { format: "json", data: "{" })).field, "data");
  const many = "x\n".repeat(201);
  assert.equal((await host.refused("BAD_REQUEST", "story:import", { format: "lines", data: many })).field, "data");
  await ann.refused("FORBIDDEN", "story:import", { format: "lines", data: "x" });
});

story(server, "another story and back: votes wait with their round", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  const two = (await host.do("story:create", { title: "Two" })).storyId;
  await ann.do("vote:submit", table.vote("8"));
  await table.quiet();

  await host.do("story:activate", { storyId: two, roundId: 1 });
  const went = await ann.next("story:activated");
  assert.deepEqual(
    [went.story.id, went.story.isActive, went.previousActiveStoryId, went.round.roundId, went.round.voteCount],
    [two, true, table.story, 2, 0],
  );
  assert.equal((await ann.settle()).you.vote, undefined);
  await host.refused("STALE_ROUND", "story:activate", { storyId: table.story, roundId: 1 });
  await ann.do("vote:submit", { storyId: two, value: "3" });
  await host.do("cards:reveal");

  // The revealed round is archived; the parked one is back with its vote,
  // under a number of its own.
  await host.do("story:activate", { storyId: table.story });
  const back = await ann.next("story:activated");
  assert.deepEqual([back.round.roundId, back.round.phase, back.round.voteCount], [3, "voting", 1]);
  assert.deepEqual(back.round.votedPlayerIds, [ann.id]);
  const snapshot = await ann.settle();
  assert.equal(snapshot.you.vote.value, "8");
  assert.deepEqual(snapshot.history.map(({ roundId, storyId }) => [roundId, storyId]), [[2, two]]);
  await table.quiet();
  // The story that is on the table already.
  assert.equal((await host.do("story:activate", { storyId: table.story })).roundId, 3);
  assert.deepEqual(await ann.news(), []);
  await host.do("cards:reveal");
  assert.equal((await ann.next("cards:revealed")).votes.find(({ playerId }) => playerId === ann.id).value, "8");
});

story(server, "an estimate is written down and taken back", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await table.quiet();
  await host.do("story:finalize", { storyId: table.story, value: "about 5" });
  const { story } = await ann.next("story:updated");
  assert.deepEqual([story.finalEstimate, story.status], ["about 5", "estimated"]);
  await host.do("story:finalize", { storyId: table.story, value: "about 5" });
  await host.do("story:finalize", { storyId: table.story, value: null });
  assert.equal((await ann.next("story:updated")).story.finalEstimate, undefined);
  assert.deepEqual(await ann.news(), []);
  assert.equal((await host.refused("BAD_REQUEST", "story:finalize", { storyId: table.story })).field, "value");
});

story(server, "words of a story never touch its votes", async (table) => {
  const host = await table.open();
  const other = (await host.do("story:create", { title: "Other" })).storyId;
  const ann = await table.join("Ann");
  await ann.do("vote:submit", table.vote("5"));
  await table.quiet();
  await host.do("story:update", { title: "Now", key: "K-1" });
  await host.do("story:update", { title: "Later", storyId: other });
  await host.do("story:update", { title: "Now" }); // says nothing new
  assert.deepEqual(await ann.news(), ["story:updated", "story:updated"]);
  const { round, stories } = await ann.settle();
  assert.equal(round.voteCount, 1);
  assert.deepEqual(stories.map(({ title, key }) => [title, key]), [["Now", "K-1"], ["Later", undefined]]);
});
