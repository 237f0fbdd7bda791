// A session as its people see it: what is folded is what the server says.

import assert from "node:assert/strict";

import { agrees, refusal, serve, story, until } from "./support/people.mjs";

const server = await serve();

story(server, "join, vote, reveal, reset", async (room) => {
  const host = await room.open({ settings: { permissions: { reveal: "everyone" } } });
  assert.equal(host.connection.status, "online");
  assert.equal(host.state.me.role, "host");
  assert.deepEqual(host.state.can, { reveal: true, reset: true, story: true, timer: true, manage: true });
  const ann = await room.join("Ann");
  assert.deepEqual(ann.state.can, { reveal: true, reset: false, story: false, timer: false, manage: false });
  await until(host, () => host.state.players.length === 2);
  assert.deepEqual(host.state.players.map(({ name }) => name), ["Hanna", "Ann"]);

  const saved = ann.vote("8", 3);
  assert.deepEqual(ann.state.myVote, { value: "8", confidence: 3, saved: false });
  await saved;
  assert.deepEqual(ann.state.myVote, { value: "8", confidence: 3, saved: true });
  await until(host, () => host.state.round.voteCount === 1);
  assert.equal(host.state.round.eligibleCount, 2);
  assert.equal(host.state.results, null);
  await ann.vote("5");
  await agrees(room, ann);
  await ann.retractVote();
  assert.equal(ann.state.myVote, null);
  await until(host, () => host.state.round.voteCount === 0);
  await ann.vote("5");
  await host.vote("5");
  await agrees(room, host);

  const before = host.state;
  await ann.reveal();
  await until(host, () => host.state.results !== null);
  assert.equal(host.state.results.consensus.suggestedValue, "5");
  assert.equal(host.state.results.revealedBy, ann.state.playerId);
  assert.equal(before.round.phase, "voting", "what was shown once is not changed");
  await agrees(room, host);
  await agrees(room, ann);
  await refusal("ROUND_REVEALED", ann.vote("8"));
  assert.deepEqual(ann.state.myVote, { value: "5", saved: true });

  await host.reset({ title: "Second" });
  await until(ann, () => ann.state.currentStory.title === "Second");
  assert.equal(ann.state.myVote, null);
  assert.equal(ann.state.history.length, 1);
  await agrees(room, ann);
  await agrees(room, host);
});

story(server, "a vote is dropped with the seat that only watches", async (room) => {
  const host = await room.open();
  const ann = await room.join("Ann");
  await ann.vote("5");
  await ann.updatePlayer({ isSpectator: true });
  await until(host, () => host.state.round.voteCount === 0);
  await ann.updatePlayer({ isSpectator: false });
  assert.equal(ann.state.myVote, null);
  await agrees(room, ann);
  await ann.vote("8");
  assert.deepEqual(ann.state.myVote, { value: "8", saved: true });
  await agrees(room, ann);
});

story(server, "the whole of a session is folded", async (room) => {
  const host = await room.open();
  const ann = await room.join("Ann");
  const bob = await room.join("Bob", { isSpectator: true, avatar: "🦊" });
  const same = async () => {
    await agrees(room, host);
    await agrees(room, ann);
  };
  const { storyIds } = await host.importStories({ format: "lines", data: "One\nTwo\nThree" });
  await same();
  await host.reorderStories(storyIds[2], storyIds[0]);
  await host.deleteStory(storyIds[0]);
  await host.updateStory({ title: "Zero", key: "Z-0", link: "https://example.org/0" });
  const { storyId } = await host.createStory({ title: "Four", afterId: storyIds[1] });
  await same();
  await ann.vote("3");
  await host.activateStory(storyId);
  await until(ann, () => ann.state.currentStory.id === storyId);
  await same();
  // The round that was left comes back with its votes, one's own included.
  const first = ann.state.stories.find(({ key }) => key === "Z-0").id;
  await host.activateStory(first);
  await until(ann, () => ann.state.myVote?.value === "3");
  await same();
  await host.vote("?");
  await host.reveal();
  await same();
  await host.finalizeStory(first, "3");
  await same();
  const { roundId } = host.state.round;
  await host.reset();
  await same();
  await host.restoreRound(roundId);
  await same();
  await host.activateStory(storyId);
  await same();

  await host.startTimer({ duration: 60, onExpire: "none" });
  await same();
  assert.ok(59_000 < host.remainingMs() && host.remainingMs() <= 60_000, `${host.remainingMs()} ms`);
  await host.pauseTimer();
  await same();
  await host.resumeTimer();
  await host.extendTimer(30);
  await same();
  await host.stopTimer();
  await same();

  await bob.updatePlayer({ name: "ann", isSpectator: false });
  await until(host, () => host.state.players.some(({ name }) => name === "ann (2)"));
  await same();
  await host.promote(bob.state.playerId);
  await until(bob, () => bob.state.can.manage);
  await bob.nudge();
  await host.setSpectator(ann.state.playerId, true);
  await same();
  await host.setSpectator(ann.state.playerId, false);
  await host.demote(bob.state.playerId);
  await until(bob, () => !bob.state.can.manage);
  await host.configure({ autoReveal: true, revealCountdownMs: 5_000, preset: "open" });
  await until(bob, () => bob.state.can.reset);
  await ann.vote("1");
  await bob.vote("1");
  await host.vote("1");
  await until(ann, () => ann.state.round.phase === "countdown");
  await same();
  await ann.cancelCountdown();
  await until(host, () => host.state.round.phase === "voting");
  await same();
  await host.transfer(ann.state.playerId);
  await until(ann, () => ann.state.me.role === "host");
  await same();
  await ann.removePlayer(bob.state.playerId);
  await until(host, () => host.state.players.length === 2);
  await until(bob, () => bob.connection.status === "closed");
  assert.equal(bob.connection.error.code, "PLAYER_REMOVED");
  assert.equal(bob.remembered(room.id), null);
  await same();
  const page = await host.history();
  assert.equal(page.rounds.length, host.state.history.length);
  await ann.lock(true);
  await same();
  await refusal("SESSION_LOCKED", room.join("Late"));
  await host.leave();
  await until(ann, () => ann.state.players.length === 1);
  assert.equal(host.state, null);
  assert.equal(host.connection.status, "closed");
  await ann.endSession();
  await until(ann, () => ann.state.status === "ended");
  assert.match(ann.state.ended.exportUrl, /export/);
  await refusal("SESSION_ENDED", ann.vote("1"));
});

story(server, "small talk reaches the listeners", async (room) => {
  const host = await room.open();
  const ann = await room.join("Ann");
  const heard = [];
  ann.on("reaction:received", ({ emoji, playerId }) => heard.push([emoji, playerId]));
  const stop = ann.on("player:nudged", ({ by }) => heard.push(["nudged", by]));
  await host.nudge(ann.state.playerId);
  await ann.setPresence({ away: false }); // and its answer comes after it
  assert.deepEqual(heard, [["nudged", host.state.playerId]]);
  // Reactions may be lost on the way to somebody who is busy.
  while (heard.length < 2) await host.react("🎉");
  assert.deepEqual(heard[1], ["🎉", host.state.playerId]);
  stop();
  await host.setPresence({ away: true });
  await until(ann, () => ann.state.players[0].isAway);
  await refusal("FORBIDDEN", ann.reveal());
  await refusal("BAD_REQUEST", host.configure({ timerSeconds: 99_999 }));
});
