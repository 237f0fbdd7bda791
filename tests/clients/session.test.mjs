// Whole sessions, from the opening to the end.

import assert from "node:assert/strict";

import { PROMPT, UNLIMITED } from "./support/server.mjs";
import { serve, story } from "./support/table.mjs";

const server = await serve({ ...UNLIMITED, ...PROMPT });

story(server, "five players estimate two stories", async (table) => {
  const host = await table.open({ name: "Sprint 12", playerName: "Hanna" });
  const players = [];
  for (const name of ["Ann", "Bob", "Cid", "Dee"]) {
    const player = await table.join(name);
    assert.equal(player.joined.player.name, name);
    assert.equal(player.joined.player.isHost, false);
    const told = await host.next("player:joined");
    assert.equal(told.player.id, player.id);
    assert.equal(told.playerCount, players.length + 2);
    players.push(player);
  }
  const all = [host, ...players];
  assert.equal(players[3].joined.players.length, 5);
  assert.equal(players[3].joined.snapshot.settings.name, "Sprint 12");
  await table.quiet();

  await host.do("story:update", { title: "Log in", description: "With a passkey" });
  for (const one of all) {
    const { story } = await one.next("story:updated");
    assert.deepEqual([story.id, story.title, story.description], [table.story, "Log in", "With a passkey"]);
  }

  const cards = ["5", "5", "8", "5", "5"];
  for (const [index, one] of all.entries()) {
    const ack = await one.do("vote:submit", table.vote(cards[index], { confidence: 4 }));
    assert.deepEqual([ack.storyId, ack.roundId, ack.value, ack.confidence], [table.story, 1, cards[index], 4]);
    for (const other of all) {
      const told = await other.next("vote:submitted");
      assert.deepEqual(
        [told.playerId, told.hasVoted, told.voteCount, told.eligibleCount, told.totalPlayers],
        [one.id, true, index + 1, 5, 5],
      );
      assert.equal("value" in told, false);
    }
  }

  const reveal = await host.do("cards:reveal");
  assert.equal(reveal.alreadyRevealed, undefined);
  for (const one of all) {
    const shown = await one.next("cards:revealed");
    assert.deepEqual(shown.votes.map((vote) => vote.value).sort(), ["5", "5", "5", "5", "8"]);
    assert.deepEqual([shown.revealedBy, shown.reason, shown.roundId], [host.id, "manual", 1]);
    const { consensus } = shown;
    assert.deepEqual(
      [consensus.hasConsensus, consensus.suggestedValue, consensus.averageValue, consensus.level, consensus.advice],
      [true, "5", 5.6, "consensus", "accept"],
    );
    assert.deepEqual(consensus.distribution, [{ value: "5", count: 4 }, { value: "8", count: 1 }]);
  }
  assert.equal((await host.do("cards:reveal")).alreadyRevealed, true);

  await host.do("story:finalize", { storyId: table.story, value: "5" });
  for (const one of all) {
    assert.equal((await one.next("story:updated")).story.finalEstimate, "5");
  }

  const reset = await host.do("game:reset", { newStory: { title: "Log out" } });
  assert.equal(reset.roundId, 2);
  for (const one of all) {
    const told = await one.next("game:reset");
    assert.deepEqual([told.storyId, told.roundId, told.story.title], [reset.storyId, 2, "Log out"]);
    assert.deepEqual([told.round.phase, told.round.voteCount, told.round.eligibleCount], ["voting", 0, 5]);
  }
  // A vote that was meant for the first story does not land on the second.
  const stale = await players[0].refused("STALE_STORY", "vote:submit", table.vote("3"));
  assert.deepEqual(stale.details, { currentStoryId: reset.storyId, roundId: 2 });
  table.story = reset.storyId;

  await players[0].do("vote:submit", table.vote("1"));
  await players[1].do("vote:submit", table.vote(2)); // the number is read as its card
  await players[1].do("vote:change", table.vote("3"));
  await host.do("cards:reveal", { storyId: table.story, roundId: 2 });
  for (const one of all) {
    const shown = await one.next("cards:revealed");
    const values = Object.fromEntries(shown.votes.map((vote) => [vote.playerId, vote.value]));
    assert.deepEqual(values, {
      [host.id]: null,
      [players[0].id]: "1",
      [players[1].id]: "3",
      [players[2].id]: null,
      [players[3].id]: null,
    });
  }

  const history = await players[2].do("history:get");
  assert.deepEqual(history.rounds.map((round) => [round.roundId, round.isRevealed, round.voteCount]), [[1, true, 5]]);

  await players[3].do("session:leave");
  for (const one of all.slice(0, 4)) {
    const left = await one.next("player:left");
    assert.deepEqual([left.playerId, left.reason, left.playerCount], [players[3].id, "left", 4]);
  }
  const snapshot = await host.settle();
  assert.equal(snapshot.playerCount, 4);
  assert.equal(snapshot.history.length, 1);
});

story(server, "the session ends", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await ann.refused("FORBIDDEN", "session:end");
  await host.do("session:end");
  for (const one of [host, ann]) {
    const ended = await one.next("session:ended");
    assert.deepEqual([ended.reason, ended.by], ["ended", host.id]);
    assert.match(ended.exportUrl, new RegExp(`^/api/v1/sessions/${table.id}/export`));
  }
  // The sockets stay, for the export; nothing more is accepted.
  assert.equal(ann.socket.connected, true);
  await ann.refused("SESSION_ENDED", "vote:submit", table.vote("5"));
  assert.equal((await ann.settle()).status, "ended");
  const late = await table.stranger();
  await late.refused("SESSION_ENDED", "session:join", { sessionId: table.code, playerName: "Late" });
});

story(server, "names, seats and codes", async (table) => {
  await table.open();
  const alex = await table.join("Alex");
  const other = await table.join("alex", { sessionId: table.code.toLowerCase() });
  assert.equal(other.joined.player.name, "alex (2)");
  assert.notEqual(other.id, alex.id);
  const third = await table.join("ＡＬＥＸ");
  assert.match(third.joined.player.name, /\(3\)$/);

  // A change of name is told, and may be numbered as well.
  const ack = await third.do("player:update", { name: "ALEX" });
  assert.equal(ack.name, "ALEX (3)");
  await third.do("player:update", { name: "Zoë", avatar: "🦊" });
  const { player } = await alex.next("player:updated", ({ player }) => player.name === "Zoë");
  assert.deepEqual([player.id, player.avatar], [third.id, "🦊"]);

  // Markup is text, control characters and bidi overrides are gone.
  await third.do("player:update", { name: " <b>Zo\u202eë</b>\u0007 " });
  await alex.next("player:updated", ({ player }) => player.name === "<b>Zoë</b>");

  // The same socket again: a fresh snapshot, no second seat.
  await table.quiet();
  const again = await alex.do("session:join", { sessionId: table.id });
  assert.equal(again.player.id, alex.id);
  assert.equal(again.snapshot.playerCount, 4);
  assert.deepEqual(await table.host.news(), []);
  await alex.refused("ALREADY_JOINED_OTHER", "session:create", { name: "Other", playerName: "Alex" });
});
