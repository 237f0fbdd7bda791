// A session as large as it may be: everybody stays, and newcomers get in.

import assert from "node:assert/strict";

import { PROMPT, UNLIMITED } from "./support/server.mjs";
import { serve, story } from "./support/table.mjs";

const server = await serve({ ...UNLIMITED, ...PROMPT });

/** A list of stories that is within all limits. */
async function imported(host, rows, description) {
  const stories = Array.from({ length: rows }, (_, row) => ({ title: `Story ${row}`, description }));
  assert.equal((await host.do("story:import", { format: "json", data: JSON.stringify(stories) })).rejected.length, 0);
}

story(server, "a hundred stories", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  for (let part = 0; part < 5; part++) await imported(host, 20, "What it is about, in a few words or some more.");
  assert.equal((await ann.settle()).stories.length, 101);
  const bob = await table.join("Bob");
  assert.equal(bob.joined.stories.length, 101);
  await bob.do("vote:submit", table.vote("5"));
  await host.next("vote:submitted");
});

story(server, "five hundred stories with descriptions", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  for (let part = 0; part < 4; part++) {
    await imported(host, 124, "d".repeat(400));
    await ann.next("stories:changed");
  }
  assert.equal((await ann.settle()).stories.length, 497);
  const people = await Promise.all(["Bob", "Cid", "Dee"].map((name) => table.join(name)));
  for (const one of people) assert.equal(one.joined.snapshot.stories.length, 497);
  await people[0].do("vote:submit", table.vote("5"));
  for (const one of [host, ann, ...people]) await one.next("vote:submitted");
});
