// A crowd that does whatever comes to mind, all at once, over all transports:
// no gap, and everybody's picture is the server's at any time.
//
// The choices come from a seed (TEST_SEED=7,8,9 for others); how they
// interleave does not.

import { describe, it } from "node:test";
import assert from "node:assert/strict";

import { TRANSPORTS } from "./support/client.mjs";
import { PROMPT, UNLIMITED } from "./support/server.mjs";
import { Table, serve } from "./support/table.mjs";

const SEEDS = process.env.TEST_SEED?.split(",").map(Number) ?? [1, 2, 3, 4];
const WAVES = 25;
const AT_ONCE = 8;
const PEOPLE = 6;

const server = await serve({
  ...UNLIMITED,
  ...PROMPT,
  "session.disconnect_grace_ms": 50,
  "session.host_grace_ms": 100,
  "session.facilitator_grace_ms": 100,
  "limits.stories_per_session_max": 12,
});

/** Mulberry32: small, and the same everywhere. */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const CARDS = ["0", "1", "2", "3", "5", "8", "?", "☕", "∞"];

/** What a person could do next, as they see the table. */
function actions(client, draw) {
  const { round, stories, players } = client.mirror.state;
  const one = (list) => list[Math.floor(draw() * list.length)];
  const vote = () => ({ storyId: round.storyId, value: one(CARDS), ...(draw() < 0.5 && { roundId: round.roundId, confidence: 1 + Math.floor(draw() * 5) }) });
  const story = () => one(stories)?.id ?? "s1";
  const player = () => one(players)?.id ?? client.id;
  return [
    ["vote:submit", vote()], ["vote:submit", vote()], ["vote:submit", vote()], ["vote:change", vote()],
    ["vote:retract", { storyId: round.storyId }],
    ["cards:reveal", {}], ["cards:reveal", { roundId: round.roundId }], ["countdown:cancel", {}],
    ["game:reset", draw() < 0.3 ? { newStory: { title: "Next" } } : { roundId: round.roundId }],
    ["round:restore", { roundId: Math.max(1, round.roundId - 1) }],
    ["story:create", { title: "Story", ...(draw() < 0.3 && { afterId: story(), clientRef: "r" }) }],
    ["story:update", { title: `Title ${Math.floor(draw() * 9)}`, storyId: story() }],
    ["story:delete", { storyId: story() }],
    ["story:reorder", { storyId: story(), ...(draw() < 0.5 && { beforeId: story() }) }],
    ["story:activate", { storyId: story() }], ["story:activate", { storyId: story() }],
    ["story:finalize", { storyId: story(), value: draw() < 0.3 ? null : one(CARDS) }],
    ["story:import", { format: "lines", data: "One\nTwo" }],
    ["timer:start", { duration: 1, onExpire: draw() < 0.5 ? "reveal" : "none" }], ["timer:start", {}],
    ["timer:stop", {}], ["timer:pause", {}], ["timer:resume", {}], ["timer:extend", { seconds: 20 }],
    ["player:update", { name: one(["Ann", "Bob", "Cid"]) }], ["player:update", { isSpectator: draw() < 0.3 }],
    ["player:promote", { playerId: player() }], ["player:demote", { playerId: player() }],
    ["player:transfer", { playerId: player() }], ["player:set-spectator", { playerId: player(), isSpectator: false }],
    ["presence:set", { away: draw() < 0.5 }], ["player:nudge", {}], ["reaction:send", { emoji: "👍" }],
    ["session:configure", one([
      { autoReveal: true, revealCountdownMs: 0 }, { autoReveal: true, revealCountdownMs: 60 }, { autoReveal: false },
      { anonymous: draw() < 0.5 }, { allowChangeAfterReveal: true }, { preset: "open" }, { listPasses: draw() < 0.5 },
      { deck: one(["fibonacci", "modified-fibonacci"]), force: draw() < 0.5 }, { timerAutoStart: draw() < 0.5 },
    ])],
    ["session:sync", {}], ["session:join", { sessionId: client.joined.sessionId }],
  ];
}

describe("a crowd", { concurrency: 2 }, () => {
  for (const seed of SEEDS) {
    it(`of seed ${seed}`, async () => {
      const draw = random(seed);
      const one = (list) => list[Math.floor(draw() * list.length)];
      const ways = Object.keys(TRANSPORTS);
      const table = new Table(server, ways[0]);
      const problems = [];
      let done = 0;
      try {
        let people = [await table.open({ settings: { preset: "open" } })];
        for (let index = 1; index < PEOPLE; index++) {
          table.transport = ways[index % ways.length];
          people.push(await table.join(`P${index}`));
        }
        for (let wave = 0; wave < WAVES; wave++) {
          table.transport = one(ways);
          // Somebody goes and comes back, or opens another tab.
          const moving = draw();
          if (moving < 0.15) {
            const leaver = people.splice(1 + Math.floor(draw() * (people.length - 1)), 1)[0];
            if (draw() < 0.5) await leaver.do("session:leave");
            leaver.close();
            people.push(await table.tab(leaver));
          } else if (moving < 0.25) {
            people.push(await table.tab(one(people)));
          } else if (moving < 0.35 && people.length > 3) {
            people.splice(1 + Math.floor(draw() * (people.length - 1)), 1)[0].close();
          }
          const answers = await Promise.all(
            Array.from({ length: AT_ONCE }, () => {
              const client = one(people);
              return client.ask(...one(actions(client, draw)));
            }),
          );
          done += answers.filter((answer) => answer.ok).length;
          for (const { error } of answers.filter((answer) => !answer.ok)) {
            if (["INTERNAL", "STATE_UNAVAILABLE", "BAD_REQUEST", "NOT_JOINED"].includes(error.code)) problems.push(error);
          }
          await Promise.all(people.map((client) => client.settle()));
          for (const client of people) client.unread();
        }
        assert.deepEqual(problems, []);
        assert.ok(WAVES < done, `only ${done} were accepted`);
      } finally {
        await table.close({ check: false });
      }
    });
  }
});
