// Coming, going, coming back: tabs, spectators, hosts, tokens, handshakes.

import assert from "node:assert/strict";

import { PROMPT, UNLIMITED } from "./support/server.mjs";
import { serve, story } from "./support/table.mjs";

/** As the catalogue has it: nobody leaves while a test runs. */
const patient = await serve({ ...UNLIMITED, ...PROMPT });
/** Whoever is gone for a moment has left. */
const hasty = await serve({
  ...UNLIMITED,
  ...PROMPT,
  "session.disconnect_grace_ms": 200,
  "session.host_grace_ms": 500,
  "session.facilitator_grace_ms": 500,
});

/** Waits for nobody. */
const brisk = await serve({ ...UNLIMITED, ...PROMPT, "session.join_timeout_ms": 300 });

story(patient, "two tabs of one player", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await table.quiet();
  const tab = await table.tab(ann);
  assert.equal(tab.id, ann.id);
  assert.equal(tab.joined.snapshot.playerCount, 2);
  assert.deepEqual(await host.news(), []);

  // The vote of one tab is shown in the other, and to nobody else.
  await ann.do("vote:submit", table.vote("8", { confidence: 2 }));
  assert.deepEqual(await tab.next("vote:mine"), { storyId: table.story, roundId: 1, value: "8", confidence: 2 });
  assert.deepEqual(await ann.news(), ["vote:submitted"]);
  assert.deepEqual(await host.news(), ["vote:submitted"]);
  await tab.do("vote:change", table.vote("5"));
  assert.equal((await ann.next("vote:mine")).value, "5");
  await ann.do("vote:retract", { storyId: table.story });
  assert.equal((await tab.next("vote:mine")).value, null);
  assert.equal((await tab.settle()).you.vote, undefined);
  await table.quiet();

  // One tab leaving changes nothing; the last one does.
  await tab.do("session:leave");
  await tab.refused("NOT_JOINED", "vote:submit", table.vote("5"));
  assert.deepEqual(await host.news(), []);
  await ann.do("vote:submit", table.vote("13"));
  await ann.do("session:leave", { sessionId: table.id });
  assert.equal((await ann.do("session:leave")).ok, true);
  const left = await host.next("player:left");
  assert.deepEqual([left.playerId, left.reason, left.seatKept, left.playerCount], [ann.id, "left", true, 1]);
  // The vote stays and counts.
  const { round } = await host.settle();
  assert.deepEqual([round.voteCount, round.eligibleCount], [1, 2]);
});

story(patient, "a tab that disconnects leaves the seat online", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  const tab = await table.tab(ann);
  await table.quiet();
  tab.socket.disconnect();
  await ann.do("vote:submit", table.vote("1"));
  assert.deepEqual(await host.news(), ["vote:submitted"]);
  assert.equal((await host.settle()).players.find(({ id }) => id === ann.id).isOnline, true);
});

story(patient, "a spectator watches, and may change sides", async (table) => {
  const host = await table.open();
  const eva = await table.join("Eva", { isSpectator: true });
  assert.equal(eva.joined.player.isSpectator, true);
  assert.equal(eva.joined.snapshot.round.eligibleCount, 1);
  await eva.refused("SPECTATOR_CANNOT_VOTE", "vote:submit", table.vote("5"));
  await eva.refused("SPECTATOR_CANNOT_VOTE", "vote:change", table.vote("5"));

  await eva.do("player:update", { isSpectator: false });
  await eva.do("vote:submit", table.vote("5"));
  await host.do("vote:submit", table.vote("5"));
  await table.quiet();
  // Who becomes a spectator while voting takes the vote along.
  await eva.do("player:update", { isSpectator: true });
  const dropped = await host.next("vote:submitted");
  assert.deepEqual([dropped.playerId, dropped.hasVoted, dropped.voteCount], [eva.id, false, 1]);
  assert.equal((await host.next("player:updated")).player.isSpectator, true);

  await host.do("cards:reveal");
  const shown = await eva.next("cards:revealed");
  assert.deepEqual(shown.votes.map(({ playerId }) => playerId), [host.id]);
  // A facilitator brings her back.
  await host.do("player:set-spectator", { playerId: eva.id, isSpectator: false });
  assert.equal((await eva.next("player:updated", ({ player }) => !player.isSpectator)).player.id, eva.id);
});

story(hasty, "a host disconnects, somebody acts, the host returns", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  const bob = await table.join("Bob");
  await table.quiet();
  await ann.refused("FORBIDDEN", "session:lock", { locked: true });
  host.socket.disconnect();

  const status = await ann.next("player:status_changed");
  assert.deepEqual([status.playerId, status.isOnline], [host.id, false]);
  const left = await ann.next("player:left");
  assert.deepEqual([left.playerId, left.reason, left.seatKept, left.playerCount], [host.id, "disconnected", true, 2]);
  const acting = await ann.next("player:promoted");
  assert.deepEqual(
    [acting.newHost.id, acting.newHost.isHost, acting.newHost.isActingHost, acting.acting, acting.reason],
    [ann.id, true, true, true, "disconnected"],
  );
  assert.equal(acting.previousHost.id, host.id);
  const order = ann.heard().length;
  assert.ok(order > 0);
  // The acting host runs the session, and while no facilitator is there,
  // everybody may run the round.
  await ann.do("session:lock", { locked: true });
  await bob.do("timer:start", { duration: 600 });
  await bob.refused("FORBIDDEN", "session:lock", { locked: false });

  // The session is locked, but the holder of a seat may return.
  const back = await table.tab(host);
  assert.equal(back.id, host.id);
  assert.equal((await bob.next("player:joined")).player.id, host.id);
  const returned = await bob.next("player:promoted", ({ reason }) => reason === "returned");
  assert.deepEqual(
    [returned.newHost.id, returned.acting, returned.previousHost.id, returned.previousHost.isHost],
    [host.id, false, ann.id, false],
  );
  await ann.refused("FORBIDDEN", "session:lock", { locked: false });
  await bob.refused("FORBIDDEN", "timer:stop");
  await back.do("session:lock", { locked: false });
});

story(hasty, "an acting host leaves as well", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  const bob = await table.join("Bob");
  host.socket.disconnect();
  await bob.next("player:promoted", ({ newHost }) => newHost.id === ann.id);
  await ann.do("session:leave");
  const next = await bob.next("player:promoted");
  assert.deepEqual([next.newHost.id, next.acting, next.reason], [bob.id, true, "left"]);
});

story(patient, "a host leaves for good", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  const bob = await table.join("Bob");
  await table.quiet();
  await host.do("session:leave");
  assert.deepEqual(await ann.news(), ["player:left", "player:promoted"]);
  const handed = ann.heard("player:promoted").at(-1);
  assert.deepEqual(
    [handed.newHost.id, handed.newHost.role, handed.newHost.isHost, handed.acting, handed.reason],
    [ann.id, "host", true, false, "left"],
  );
  assert.equal(handed.previousHost.id, host.id);
  await ann.do("session:configure", { name: "Mine now" });
  // The former host comes back as a facilitator.
  const back = await table.tab(host);
  assert.deepEqual([back.joined.player.role, back.joined.player.isHost], ["facilitator", false]);
  await back.refused("FORBIDDEN", "session:configure", { name: "Mine again" });
  await back.do("timer:start");
  await bob.next("timer:updated");
});

story(patient, "roles are given, taken and handed over", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await table.quiet();
  await host.do("player:promote", { playerId: ann.id });
  assert.equal((await ann.next("player:updated")).player.role, "facilitator");
  assert.equal((await ann.settle()).you.can.manage, true);
  await ann.do("session:lock", { locked: true });
  await host.do("player:demote", { playerId: ann.id });
  assert.equal((await ann.next("player:updated")).player.role, "player");
  await host.do("player:transfer", { playerId: ann.id });
  const handed = await ann.next("player:promoted");
  assert.deepEqual(
    [handed.newHost.id, handed.previousHost.id, handed.previousHost.role, handed.reason, handed.acting],
    [ann.id, host.id, "facilitator", "transfer", false],
  );
  await host.refused("FORBIDDEN", "session:end");
});

story(patient, "a return within the grace makes no noise", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await ann.do("vote:submit", table.vote("8", { confidence: 5 }));
  await table.quiet();
  ann.socket.disconnect();
  assert.equal((await host.next("player:status_changed")).isOnline, false);
  const back = await table.tab(ann);
  assert.equal(back.id, ann.id);
  assert.deepEqual(back.joined.snapshot.you.vote, { value: "8", confidence: 5 });
  assert.equal((await host.next("player:status_changed")).isOnline, true);
  assert.deepEqual(await host.news(), []);
});

story(hasty, "a seat is kept for who has left, with its vote", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await ann.do("vote:submit", table.vote("8"));
  ann.socket.disconnect();
  const left = await host.next("player:left");
  assert.deepEqual([left.playerId, left.seatKept], [ann.id, true]);
  const back = await table.tab(ann);
  assert.equal((await host.next("player:joined", ({ player }) => player.hasVoted)).player.id, ann.id);
  assert.equal(back.joined.snapshot.you.vote.value, "8");
  // A second disconnection, and a name and an avatar given with the return.
  back.socket.disconnect();
  await host.next("player:left");
  const third = table.client();
  await third.do("session:join", { sessionId: table.id, playerToken: ann.joined.playerToken, playerName: "Anna", avatar: "cat" });
  assert.deepEqual(
    [third.joined.player.id, third.joined.player.name, third.joined.player.avatar],
    [ann.id, "Anna", "cat"],
  );
  await host.next("player:joined");
  await host.settle();
});

story(patient, "a client reconnects by itself with its token", async (table) => {
  const host = await table.open();
  const auth = { sessionId: table.id, playerName: "Ann" };
  // It comes back by itself, though not before this.
  let meanwhile = Promise.resolve();
  const identify = (tell) => meanwhile.then(() => tell(auth));
  const ann = table.client({ reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 50, auth: identify });
  const first = await ann.next("session:joined");
  auth.playerToken = first.playerToken;
  await ann.do("vote:submit", table.vote("3"));
  ann.drop();
  await ann.next("(disconnect)");
  // As a page that was loaded anew: its socket is another one.
  ann.socket._pid = undefined;
  meanwhile = host.do("story:update", { title: "Meanwhile" });
  await meanwhile;
  const second = await ann.next("session:joined");
  assert.equal(second.player.id, first.player.id);
  assert.equal(second.snapshot.you.vote.value, "3");
  assert.equal(second.currentStory.title, "Meanwhile");
  await ann.do("vote:change", table.vote("5"));
});

story(patient, "the handshake may join at once", async (table) => {
  const host = await table.open();
  await table.quiet();
  const ann = table.client({ auth: { sessionId: table.code, playerName: "Ann", isSpectator: true } });
  const joined = await ann.next("session:joined");
  assert.deepEqual([joined.sessionId, joined.player.name, joined.player.isSpectator], [table.id, "Ann", true]);
  assert.ok(joined.playerToken.length > 16);
  assert.equal((await host.next("player:joined")).player.id, joined.player.id);

  // What is sent right behind the handshake waits for the join.
  const bob = table.client({ auth: { sessionId: table.id, playerName: "Bob" } });
  assert.equal((await bob.do("vote:submit", table.vote("5"))).value, "5");

  // No such session: told so, and the connection ends.
  const lost = table.client({ auth: { sessionId: "00000000", playerName: "Lost" } });
  const error = await lost.next("session:error");
  assert.deepEqual([error.error, error.code], ["Session not found", "SESSION_NOT_FOUND"]);
  assert.equal((await lost.next("(disconnect)")).reason, "io server disconnect");

  // A refusal that can be put right leaves the connection.
  const nameless = table.client({ auth: { sessionId: table.id } });
  assert.equal((await nameless.next("session:error")).code, "NAME_REQUIRED");
  await nameless.do("session:join", { sessionId: table.id, playerName: "Now" });

  const broken = table.client({ auth: { sessionId: 7 } });
  const refused = await broken.next("(connect_error)");
  assert.deepEqual([refused.data.code, refused.data.field], ["BAD_REQUEST", "sessionId"]);
});

story(patient, "tokens open seats, bare ids do not", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  const other = await table.stranger();
  await other.refused("INVALID_PLAYER_TOKEN", "session:join", { sessionId: table.id, playerId: ann.id, playerName: "Ann" });
  await other.refused("INVALID_PLAYER_TOKEN", "session:join", { sessionId: table.id, playerToken: "not a token at all" });
  const token = ann.joined.playerToken;
  const forged = token.slice(0, -2) + (token.endsWith("A") ? "BB" : "AA");
  await other.refused("INVALID_PLAYER_TOKEN", "session:join", { sessionId: table.id, playerToken: forged });
  // A token of another session is none here.
  const elsewhere = await table.stranger();
  const foreign = await elsewhere.do("session:create", { name: "Else", playerName: "X" });
  await other.refused("INVALID_PLAYER_TOKEN", "session:join", { sessionId: table.id, playerToken: foreign.playerToken });
  assert.equal((await host.settle()).playerCount, 2);
});

story(patient, "somebody is away for a moment", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await table.quiet();
  await ann.do("presence:set", { away: true });
  const away = await host.next("player:status_changed");
  assert.deepEqual([away.playerId, away.isOnline, away.isAway], [ann.id, true, true]);
  await ann.do("presence:set", { away: false });
  assert.equal((await host.next("player:status_changed")).isAway, false);
});

story(patient, "nudges and reactions", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  const bob = await table.join("Bob");
  await host.do("vote:submit", table.vote("1"));
  await bob.do("vote:submit", table.vote("1"));
  await table.quiet();
  assert.deepEqual((await host.do("player:nudge")).playerIds, [ann.id]);
  assert.equal((await ann.next("player:nudged")).by, host.id);
  assert.deepEqual((await host.do("player:nudge", { playerId: ann.id })).playerIds, []);
  await ann.do("reaction:send", { emoji: "🎉" });
  for (const one of [host, ann, bob]) {
    const { playerId, emoji } = await one.next("reaction:received");
    assert.deepEqual([playerId, emoji], [ann.id, "🎉"]);
  }
  assert.deepEqual(await bob.news(), []);
});

story(brisk, "who connects and never joins is let go", async (table) => {
  const stranger = await table.stranger();
  const error = await stranger.next("connection:error");
  assert.equal(error.code, "NOT_JOINED");
  assert.equal((await stranger.next("(disconnect)")).reason, "io server disconnect");
});

story(patient, "a client that resends what is not acknowledged", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  const careful = table.client({
    auth: { sessionId: table.id, playerToken: ann.joined.playerToken },
    reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 50, retries: 5, ackTimeout: 5000,
  });
  await careful.next("session:joined");
  ann.close();
  await table.quiet(host);
  // The connection breaks with the packets on their way; they are sent again
  // on the next one, and each counts once.
  const votes = ["5", "8", "13"].map((value, index) =>
    careful.do("vote:submit", table.vote(value, { requestId: `vote-${index}` })),
  );
  careful.drop();
  assert.deepEqual((await Promise.all(votes)).map(({ value }) => value), ["5", "8", "13"]);
  const told = (await host.news()).filter((name) => name === "vote:submitted");
  assert.equal(told.length, 3);
});
