// Voting and revealing: countdown, races, restore, anonymity, second thoughts.

import assert from "node:assert/strict";

import { PROMPT, UNLIMITED } from "./support/server.mjs";
import { serve, story } from "./support/table.mjs";

const server = await serve({ ...UNLIMITED, ...PROMPT });

story(server, "auto-reveal counts down; a newcomer does not stop it", async (table) => {
  const host = await table.open({ settings: { autoReveal: true, revealCountdownMs: 10000 } });
  const ann = await table.join("Ann");
  await host.do("vote:submit", table.vote("5"));
  await ann.do("vote:submit", table.vote("8"));
  const countdown = await host.next("reveal:countdown");
  assert.deepEqual([countdown.roundId, countdown.cancelled], [1, undefined]);
  assert.ok(countdown.serverTime < countdown.revealAt && countdown.revealAt <= countdown.serverTime + 10000);

  const late = await table.join("Late");
  assert.equal(late.joined.snapshot.round.phase, "countdown");
  assert.equal(late.joined.snapshot.round.revealAt, countdown.revealAt);
  const shown = await late.next("cards:revealed");
  assert.deepEqual([shown.reason, shown.revealedBy, shown.consensus.level], ["auto", null, "near"]);
  const names = host.heard().length && (await host.news());
  assert.deepEqual(names.slice(-2), ["player:joined", "cards:revealed"]);
});

story(server, "a retract or a facilitator stops the countdown", async (table) => {
  const host = await table.open({ settings: { autoReveal: true, revealCountdownMs: 10000 } });
  const ann = await table.join("Ann");
  await host.do("vote:submit", table.vote("5"));
  await ann.do("vote:submit", table.vote("8"));
  await table.quiet();
  await ann.do("vote:retract", { storyId: table.story, roundId: 1 });
  assert.deepEqual(await host.news(), ["vote:submitted", "reveal:countdown"]);
  assert.equal(host.heard("reveal:countdown").at(-1).cancelled, true);
  await ann.do("vote:submit", table.vote("8"));
  assert.deepEqual(await host.news(), ["vote:submitted", "reveal:countdown"]);

  await ann.refused("FORBIDDEN", "countdown:cancel");
  await host.do("countdown:cancel");
  assert.equal((await ann.next("reveal:countdown", ({ cancelled }) => cancelled)).roundId, 1);
  assert.equal((await ann.settle()).round.phase, "voting");
  assert.deepEqual((await host.news()), ["reveal:countdown"]);

  // A changed card starts it again; a manual reveal does not wait for it.
  await ann.do("vote:change", table.vote("5"));
  await host.do("cards:reveal");
  assert.equal((await ann.next("cards:revealed")).reason, "manual");
  assert.equal((await ann.settle()).round.phase, "revealed");
});

story(server, "without a countdown the last vote reveals", async (table) => {
  const host = await table.open({ settings: { autoReveal: true, revealCountdownMs: 0 } });
  const ann = await table.join("Ann");
  const eva = await table.join("Eva", { isSpectator: true });
  const bob = await table.join("Bob");
  await host.do("vote:submit", table.vote("5"));
  await ann.do("vote:submit", table.vote("5"));
  await table.quiet();
  // Bob, who has not voted, leaves: nobody is waited for any more.
  await bob.do("session:leave");
  assert.deepEqual(await eva.news(), ["player:left", "cards:revealed"]);
  assert.equal(eva.heard("cards:revealed")[0].reason, "auto");
});

story(server, "reveal and reset cross", async (table) => {
  const host = await table.open();
  const fay = await table.join("Fay");
  await host.do("player:promote", { playerId: fay.id });
  await host.do("vote:submit", table.vote("5"));
  await fay.do("vote:submit", table.vote("8"));
  await table.quiet();
  // Both act on round 1 at the same moment; whatever came first, every client
  // hears the same and ends in the same state.
  const [reveal, reset] = await Promise.all([
    host.ask("cards:reveal", { storyId: table.story, roundId: 1 }),
    fay.ask("game:reset", { storyId: table.story, roundId: 1 }),
  ]);
  assert.equal(reset.ok, true);
  assert.ok(reveal.ok || reveal.error.code === "STALE_ROUND");
  const [mine, theirs] = [await host.news(), await fay.news()];
  assert.deepEqual(mine, theirs);
  assert.deepEqual(mine, reveal.ok ? ["cards:revealed", "game:reset"] : ["game:reset"]);
  assert.equal((await host.settle()).round.roundId, 2);
  // A second reset of the round that is gone does nothing.
  assert.deepEqual((await host.refused("STALE_ROUND", "game:reset", { roundId: 1 })).details, { roundId: 2 });
  // Nor does one of a round that nobody touched.
  assert.equal((await host.do("game:reset", { roundId: 2 })).roundId, 2);
  assert.deepEqual(await fay.news(), []);
});

story(server, "a reset is undone", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await host.do("vote:submit", table.vote("5"));
  await ann.do("vote:submit", table.vote("8"));
  await host.do("cards:reveal");
  await host.do("game:reset");
  await table.quiet();
  await ann.refused("FORBIDDEN", "round:restore", { roundId: 1 });
  await host.refused("STALE_ROUND", "round:restore", { roundId: 7 });
  await host.do("round:restore", { roundId: 1 });
  const shown = await ann.next("cards:revealed");
  assert.deepEqual([shown.restored, shown.roundId, shown.votes.length], [true, 1, 2]);
  const { round, history } = await ann.settle();
  assert.deepEqual([round.phase, round.roundId, history.length], ["revealed", 1, 0]);

  // Not once somebody has voted since.
  await host.do("game:reset");
  await ann.do("vote:submit", table.vote("1"));
  await host.refused("STALE_ROUND", "round:restore", { roundId: 1 });
});

story(server, "a reset with a new story is undone", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await ann.do("vote:submit", table.vote("8"));
  await host.do("cards:reveal");
  const reset = await host.do("game:reset", { newStory: { title: "Two" } });
  await table.quiet();
  await host.do("round:restore", { roundId: 1 });
  const shown = await ann.next("cards:revealed");
  assert.equal(shown.storyId, table.story);
  const { currentStory, stories } = await ann.settle();
  assert.equal(currentStory.id, table.story);
  assert.deepEqual(stories.map(({ id }) => id), [table.story, reset.storyId]);
});

story(server, "anonymous votes name nobody", async (table) => {
  const host = await table.open({ settings: { anonymous: true, allowChangeAfterReveal: true } });
  const ann = await table.join("Ann");
  await host.do("vote:submit", table.vote("13"));
  await ann.do("vote:submit", table.vote("1"));
  await host.do("cards:reveal");
  const shown = await ann.next("cards:revealed");
  assert.deepEqual(shown.votes.map(({ value }) => value).sort(), ["1", "13"]);
  for (const vote of shown.votes) {
    assert.deepEqual([vote.playerId, vote.playerName, vote.votedAt], [null, null, undefined]);
  }
  assert.deepEqual(shown.consensus.outliers, []);
  await ann.do("vote:change", table.vote("2"));
  const changed = await host.next("cards:revealed", ({ votes }) => votes.some(({ value }) => value === "2"));
  assert.equal(changed.changedBy, undefined);
});

story(server, "second thoughts after the reveal", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await host.do("vote:submit", table.vote("5"));
  await ann.do("vote:submit", table.vote("8"));
  await host.do("cards:reveal");
  await ann.refused("ROUND_REVEALED", "vote:submit", table.vote("5"));
  await ann.refused("ROUND_REVEALED", "vote:change", table.vote("5"));
  await ann.refused("ROUND_REVEALED", "vote:retract", { storyId: table.story });
  await host.do("session:configure", { allowChangeAfterReveal: true });
  await table.quiet();
  await ann.do("vote:change", table.vote("5"));
  const shown = await host.next("cards:revealed");
  const vote = shown.votes.find(({ playerId }) => playerId === ann.id);
  assert.deepEqual([shown.changedBy, vote.value, vote.initialValue], [ann.id, "5", "8"]);
  assert.equal(shown.consensus.level, "unanimous");
  await ann.do("vote:change", table.vote("5"));
  assert.deepEqual(await host.news(), []);
  await host.do("game:reset");
  const { rounds } = await ann.do("history:get", { storyId: table.story });
  assert.equal(rounds[0].votes.find(({ playerId }) => playerId === ann.id).initialValue, "8");
});

story(server, "a round that was never revealed leaves only counts", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await ann.do("vote:submit", table.vote("8"));
  await host.do("game:reset");
  const { rounds } = await host.do("history:get");
  assert.deepEqual([rounds[0].isRevealed, rounds[0].voteCount, rounds[0].votes], [false, 1, undefined]);
});

story(server, "what is sent twice happens once", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await table.quiet();
  const first = await ann.do("vote:submit", table.vote("5", { requestId: "r1" }));
  await ann.do("vote:change", table.vote("8"));
  // The resend arrives late: it is answered as then and does not undo.
  const again = await ann.do("vote:submit", table.vote("5", { requestId: "r1" }));
  assert.equal(again.value, first.value);
  assert.equal((await ann.settle()).you.vote.value, "8");
  assert.deepEqual(await host.news(), ["vote:submitted", "vote:submitted"]);
  // The same card again is no change.
  await ann.do("vote:submit", table.vote("8"));
  assert.deepEqual(await host.news(), []);
  const story = await host.do("story:create", { title: "Once", requestId: "r2" });
  assert.equal((await host.do("story:create", { title: "Once", requestId: "r2" })).storyId, story.storyId);
  assert.equal((await host.settle()).stories.length, 2);
});

story(server, "the coffee of every keyboard", async (table) => {
  const host = await table.open();
  const ack = await host.do("vote:submit", table.vote("☕\ufe0f"));
  assert.equal(ack.value, "☕");
  const error = await host.refused("INVALID_CARD", "vote:submit", table.vote("4"));
  assert.equal(error.details.cards.length, 14);
});
