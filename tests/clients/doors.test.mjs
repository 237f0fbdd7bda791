// Who gets in, who is put out, and what the host decides.

import assert from "node:assert/strict";

import { PROMPT, UNLIMITED } from "./support/server.mjs";
import { serve, story } from "./support/table.mjs";

const server = await serve({ ...UNLIMITED, ...PROMPT });

story(server, "a locked session lets only its people in", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await table.quiet();
  await host.do("session:lock", { locked: true });
  const { settings, changed, by } = await ann.next("session:updated");
  assert.deepEqual([settings.locked, changed, by], [true, ["locked"], host.id]);
  await host.do("session:lock", { locked: true });
  const newcomer = await table.stranger();
  await newcomer.refused("SESSION_LOCKED", "session:join", { sessionId: table.id, playerName: "New" });
  await ann.do("session:leave");
  const back = await table.tab(ann);
  assert.equal(back.id, ann.id);
  await host.do("session:lock", { locked: false });
  await newcomer.do("session:join", { sessionId: table.id, playerName: "New" });
});

story(server, "a password", async (table) => {
  const host = await table.open({ password: "sesame" });
  assert.equal(host.joined.config.passwordProtected, true);
  const ann = await table.stranger();
  const join = { sessionId: table.id, playerName: "Ann" };
  await ann.refused("PASSWORD_REQUIRED", "session:join", join);
  await ann.refused("PASSWORD_INVALID", "session:join", { ...join, password: "guess" });
  await ann.do("session:join", { ...join, password: "sesame" });
  // The holder of a seat needs none.
  await table.tab(ann);
  await table.quiet();
  await host.do("session:configure", { password: null });
  assert.deepEqual((await ann.next("session:updated")).changed, ["passwordProtected"]);
  await table.join("Bob");
  await host.do("session:configure", { password: "another" });
  const cid = await table.stranger();
  await cid.refused("PASSWORD_INVALID", "session:join", { ...join, playerName: "Cid", password: "sesame" });
  assert.equal(JSON.stringify(host.heard()).includes("sesame"), false);
});

story(server, "a full session", async (table) => {
  const host = await table.open({ settings: { maxPlayers: 2 } });
  const ann = await table.join("Ann");
  const bob = await table.stranger();
  const full = await bob.refused("SESSION_FULL", "session:join", { sessionId: table.id, playerName: "Bob" });
  assert.deepEqual(full.details, { maxPlayers: 2 });
  await table.tab(ann);
  await host.do("session:configure", { maxPlayers: 3 });
  await bob.do("session:join", { sessionId: table.id, playerName: "Bob" });
});

story(server, "a player with two tabs is removed", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  const tab = await table.tab(ann);
  const bob = await table.join("Bob");
  await ann.do("vote:submit", table.vote("5"));
  await table.quiet();
  await bob.refused("FORBIDDEN", "player:remove", { playerId: ann.id });
  await host.refused("FORBIDDEN", "player:remove", { playerId: host.id });
  await host.do("player:remove", { playerId: ann.id });
  for (const one of [ann, tab]) {
    assert.equal((await one.next("session:error")).code, "PLAYER_REMOVED");
    assert.equal((await one.next("(disconnect)")).reason, "io server disconnect");
  }
  assert.deepEqual(await bob.news(), ["vote:submitted", "player:removed", "player:left"]);
  const [removed] = bob.heard("player:removed");
  const [left] = bob.heard("player:left");
  assert.deepEqual([removed.playerId, removed.removedBy, removed.playerCount], [ann.id, host.id, 2]);
  assert.deepEqual([left.playerId, left.reason, left.seatKept, left.seq], [ann.id, "removed", false, removed.seq]);

  const again = await table.stranger();
  await again.refused("PLAYER_REMOVED", "session:join", { sessionId: table.id, playerToken: ann.joined.playerToken });
  // Not banned: somebody of that name may come in, to a seat of their own.
  const other = await table.join("Ann");
  assert.notEqual(other.id, ann.id);
});

story(server, "a ban keeps the name out as well", async (table) => {
  const host = await table.open();
  const troll = await table.join("Troll");
  await host.do("player:remove", { playerId: troll.id, ban: true });
  await troll.next("session:error");
  const again = await table.stranger();
  await again.refused("PLAYER_REMOVED", "session:join", { sessionId: table.id, playerName: "tROLL" });
  await host.refused("PLAYER_NOT_FOUND", "player:remove", { playerId: troll.id });
});

story(server, "the host changes the settings", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await table.quiet();
  await ann.refused("FORBIDDEN", "session:configure", { anonymous: true });
  await host.do("session:configure", {
    name: "Renamed", anonymous: true, timerSeconds: 5, consensusThreshold: 0.66, permissions: { timer: "everyone" },
  });
  const told = await ann.next("session:updated");
  assert.deepEqual([...told.changed].sort(), ["anonymous", "consensusThreshold", "name", "permissions", "timerSeconds"]);
  assert.deepEqual(
    [told.settings.name, told.settings.consensusThreshold, told.settings.permissions],
    ["Renamed", 0.66, { reveal: "facilitators", reset: "facilitators", story: "facilitators", timer: "everyone" }],
  );
  await ann.do("timer:start");
  await ann.next("timer:updated");
  await host.do("session:configure", { name: "Renamed" }); // as it is
  assert.deepEqual(await ann.news(), []);
  await host.do("session:configure", { preset: "open" });
  assert.deepEqual((await ann.settle()).you.can, { reveal: true, reset: true, story: true, timer: true, manage: false });
  const bad = await host.refused("BAD_REQUEST", "session:configure", { permissions: { reveal: "nobody" } });
  assert.equal(bad.field, "permissions.reveal");
});

story(server, "another deck needs force once there are votes", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await host.do("session:configure", { deck: "powers-of-two" });
  await ann.do("vote:submit", table.vote("16"));
  await host.refused("DECK_IN_USE", "session:configure", { deck: "t-shirt" });
  await table.quiet();
  await host.do("session:configure", { deck: { name: "Sizes", cards: ["tiny", "huge", "?"] }, force: true });
  assert.deepEqual(await ann.news(), ["game:reset", "session:updated"]);
  const { round, settings } = await ann.settle();
  assert.deepEqual([round.roundId, round.voteCount], [2, 0]);
  assert.deepEqual(
    [settings.deck.name, settings.deck.kind, settings.deck.cards.map(({ value }) => value)],
    ["Sizes", "ordinal", ["tiny", "huge", "?"]],
  );
  await ann.refused("INVALID_CARD", "vote:submit", table.vote("16"));
  await ann.do("vote:submit", table.vote("huge"));
  await host.refused("INVALID_DECK", "session:configure", { deck: { cards: ["1", "1"] }, force: true });
});

story(server, "auto-reveal switched on with all votes in, and off while it counts", async (table) => {
  const host = await table.open({ settings: { revealCountdownMs: 10000 } });
  await host.do("vote:submit", table.vote("5"));
  await table.quiet();
  await host.do("session:configure", { autoReveal: true });
  assert.deepEqual(await host.news(), ["session:updated", "reveal:countdown"]);
  await host.do("session:configure", { autoReveal: false });
  assert.deepEqual(await host.news(), ["session:updated", "reveal:countdown"]);
  assert.equal((await host.settle()).round.phase, "voting");
});
