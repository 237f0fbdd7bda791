// One recorded session in which Vera's votes are the only thing that varies.
//
// Everything she casts here is withdrawn, reset, parked or destroyed by the
// end of the session; only the finale, in a session of its own, is revealed.

import { Client } from "./client.mjs";
import { Rest } from "./rest.mjs";

/** Fibonacci labels, with one more so that it is a deck of its own. */
const OTHER_DECK = {
  name: "Other",
  cards: ["0", "1", "2", "3", "5", "8", "13", "21", "34", "55", "89", "100", "?", "☕"],
};

/** The streams that belong to the voter, who may know her own votes. */
export const isOwn = (stream) => stream.startsWith("vera");
export const isFinale = (stream) => stream.endsWith(" (finale)");

/**
 * Plays it. `votes` are Vera's, ten different ones; `refused` is no card of
 * the deck. Resolves with the ids that have no shape of their own.
 */
export async function play({ tape, url, transport, votes, refused, finale }) {
  const table = new Table(tape, url, transport);
  const secrets = { ids: new Map(), tokens: new Set(), passwords: ["open-sesame", "wrong-sesame"] };
  await playSession(table, { votes, refused, secrets });
  await playFinale(table, { finale, secrets });
  await Promise.all(table.clients.map((client) => client.finish()));
  for (const client of table.clients) {
    if (client.joined) secrets.tokens.add(client.token);
    client.close();
  }
  return secrets;
}

class Table {
  clients = [];

  constructor(tape, url, transport) {
    Object.assign(this, { tape, url, transport });
  }

  client(name, auth) {
    const client = new Client(this.tape, name, this.url, this.transport, auth);
    this.clients.push(client);
    return client;
  }

  async open(name, settings) {
    const host = await this.client(name).connect();
    const joined = host.next("session:joined");
    const { sessionId, code } = await host.ok("session:create", {
      name: "Sprint 12", playerName: "Hanna", deck: "fibonacci", settings,
    });
    await joined;
    return { host, sessionId, code };
  }
}

async function playSession(table, { votes, refused, secrets }) {
  const { host: hanna, sessionId, code } = await table.open("hanna");
  secrets.ids.set(sessionId, "session").set(code, "code");
  const join = (stream, playerName, more) =>
    table.client(stream, { sessionId, playerName, ...more }).connectAndJoin();
  const rest = new Rest(table.tape, table.url);
  const paul = await join("paul", "Paul");
  const sam = await join("sam the spectator", "Sam", { isSpectator: true });
  const vera = await join("vera", "Vera");
  await hanna.ok("player:promote", { playerId: paul.playerId });
  const everybody = [hanna, paul, sam, vera];
  const look = async (viewers = everybody) => {
    for (const client of viewers) await client.ok("session:sync", { lastSeq: 1 });
    for (const client of viewers) await client.ok("history:get", {});
    for (const member of viewers) {
      await rest.look(`${member.name}, REST`, { sessionId, code, member });
    }
  };
  const s1 = hanna.joined.currentStory.id;
  // Sparing with Vera's values, so that each moment has one of its own.
  const remaining = [...votes];
  const ballot = () => remaining.shift();

  // Votes in every way there is.
  await vera.ok("vote:submit", { storyId: s1, ...ballot() });
  await paul.ok("vote:submit", { storyId: s1, value: "5", confidence: 3 });
  await vera.ok("vote:submit", { storyId: s1, ...votes[0] });
  await vera.ok("vote:change", { storyId: s1, ...ballot() });
  await vera.ok("vote:change", { storyId: s1, value: votes[1].value });
  await vera.ok("vote:retract", { storyId: s1 });
  await vera.refused("NO_VOTE_TO_CHANGE", "vote:change", { storyId: s1, ...votes[2] });
  await vera.ok("vote:submit", { storyId: s1, roundId: 1, ...ballot() });

  // A second tab of the voter, somebody late, and everybody's snapshot.
  const second = await table.client("vera, second tab", { sessionId, playerToken: vera.token })
    .connectAndJoin();
  const mine = vera.next("vote:mine");
  await second.ok("vote:change", { storyId: s1, ...ballot() });
  await mine;
  const lena = await join("lena, late", "Lena");
  everybody.push(lena);
  await look();

  // Paul's connection is lost, and he comes back with his token.
  let seen = hanna.next("player:status_changed", (status) => !status.isOnline);
  await paul.lose();
  await seen;
  secrets.tokens.add(paul.token);
  paul.auth = { sessionId, playerToken: paul.token };
  paul.forget();
  const isBack = ({ playerId, isOnline }) => playerId === paul.playerId && isOnline;
  seen = paul.next("player:status_changed", isBack);
  await paul.connectAndJoin();
  await seen;

  // Once more, and he is told what he missed.
  seen = hanna.next("player:status_changed", ({ playerId, isOnline }) => playerId === paul.playerId && !isOnline);
  await paul.lose();
  await seen;
  await vera.ok("vote:change", { storyId: s1, ...votes[6] });
  await vera.ok("vote:change", { storyId: s1, ...votes[7] });
  seen = paul.next("player:status_changed", isBack);
  await paul.connectAndJoin();
  if (!paul.socket.recovered) throw new Error("not recovered");
  await seen;

  // Refusals, of the voter's and of others' attempts, with her values.
  await vera.refused("STALE_STORY", "vote:submit", { storyId: "s9", ...votes[0] });
  await vera.refused("STALE_ROUND", "vote:submit", { storyId: s1, roundId: 9, ...votes[0] });
  await vera.refused("INVALID_CARD", "vote:submit", { storyId: s1, value: refused });
  await vera.refused("BAD_REQUEST", "vote:submit", { storyId: s1, ...votes[0], confidence: 6 });
  await sam.refused("SPECTATOR_CANNOT_VOTE", "vote:submit", { storyId: s1, ...votes[0] });
  await lena.refused("FORBIDDEN", "cards:reveal", {});
  const told = vera.next("session:error");
  vera.socket.emit("vote:submit", { storyId: s1, value: refused });
  await told;
  await vera.ok("vote:submit", { storyId: s1, requestId: "again", ...votes[0] });
  await vera.ok("vote:submit", { storyId: s1, requestId: "again", ...votes[1] });

  // The voter away, renamed, and a spectator for a while.
  seen = hanna.next("player:status_changed", (status) => status.isAway);
  await vera.ok("presence:set", { away: true });
  await seen;
  seen = hanna.next("player:status_changed", (status) => !status.isAway);
  await vera.ok("presence:set", { away: false });
  await seen;
  await vera.ok("player:update", { name: "Véra" });
  await hanna.ok("player:set-spectator", { playerId: vera.playerId, isSpectator: true });
  await look();
  await vera.ok("player:update", { isSpectator: false });
  await vera.ok("vote:submit", { storyId: s1, ...votes[2] });

  // Countdowns, each broken off: by a retract, by the host, by a setting.
  await hanna.ok("session:configure", { autoReveal: true, revealCountdownMs: 10_000 });
  await lena.ok("vote:submit", { storyId: s1, value: "3" });
  seen = sam.next("reveal:countdown");
  await hanna.ok("vote:submit", { storyId: s1, value: "8", confidence: 5 });
  await seen;
  await vera.ok("vote:change", { storyId: s1, ...ballot() });
  await look();
  await vera.ok("vote:retract", { storyId: s1 });
  await vera.ok("vote:submit", { storyId: s1, ...votes[4] });
  await hanna.ok("countdown:cancel", {});
  await hanna.ok("session:configure", { autoReveal: false });

  // Parked with its votes, and back.
  const { storyId: s2 } = await hanna.ok("story:create", { title: "Second" });
  await hanna.ok("story:activate", { storyId: s2 });
  await vera.refused("STALE_STORY", "vote:change", { storyId: s1, ...votes[5] });
  await vera.ok("vote:submit", { storyId: s2, ...ballot() });
  await look();
  await hanna.ok("story:activate", { storyId: s1 });
  await look();
  await vera.ok("vote:change", { storyId: s1, ...ballot() });
  await hanna.ok("story:activate", { storyId: s2 });

  // Reset before the reveal.
  await hanna.ok("timer:start", { duration: 600 });
  await hanna.ok("timer:stop", {});
  await hanna.ok("game:reset", {});
  await look();
  await vera.ok("vote:submit", { storyId: s2, ...ballot() });
  const { storyId: s3 } = await hanna.ok("game:reset", { newStory: { title: "Third" } });
  await look();

  // A deck change destroys the round.
  await vera.ok("vote:submit", { storyId: s3, ...votes[0] });
  await hanna.refused("DECK_IN_USE", "session:configure", { deck: OTHER_DECK });
  await hanna.ok("session:configure", { deck: OTHER_DECK, force: true });
  await vera.ok("vote:submit", { storyId: s3, ...votes[1] });

  // Another story is revealed legitimately, with votes that do not vary,
  // while Vera's are parked; then it is reset and restored.
  const { storyId: s4 } = await paul.ok("story:create", { title: "Legitimate" });
  await paul.ok("story:activate", { storyId: s4 });
  await vera.ok("vote:submit", { storyId: s4, value: "13", confidence: 2 });
  await paul.ok("vote:submit", { storyId: s4, value: "8" });
  await paul.ok("cards:reveal", {});
  await vera.refused("ROUND_REVEALED", "vote:change", { storyId: s4, ...votes[2] });
  await look();
  const { roundId } = await hanna.ok("session:sync", {}).then((ack) => ack.snapshot.round);
  await hanna.ok("game:reset", {});
  await hanna.ok("round:restore", { roundId });
  await hanna.ok("session:configure", { anonymous: true });
  await hanna.ok("story:activate", { storyId: s3 });
  await vera.ok("vote:change", { storyId: s3, ...ballot() });

  // The voter is lost, in both tabs, until her seat has left; the vote stays.
  seen = hanna.next("player:left");
  await vera.lose();
  await second.lose();
  await seen;
  await look(everybody.filter((client) => client !== vera));
  secrets.tokens.add(vera.token);
  vera.auth = { sessionId, playerToken: vera.token };
  await vera.connectAndJoin();
  await look();

  // Strangers who do not get in, and somebody who is put out.
  await hanna.ok("session:configure", { password: secrets.passwords[0] });
  const stranger = await table.client("stranger").connect();
  await stranger.refused("PASSWORD_INVALID", "session:join",
    { sessionId: code, playerName: "Eve", password: secrets.passwords[1] });
  await stranger.refused("PASSWORD_REQUIRED", "session:join", { sessionId, playerName: "Eve" });
  await stranger.refused("INVALID_PLAYER_TOKEN", "session:join",
    { sessionId, playerId: vera.playerId, playerName: "Eve" });
  await stranger.ok("session:join",
    { sessionId: code, playerName: "Eve", password: secrets.passwords[0] });
  await vera.ok("vote:change", { storyId: s3, ...ballot() });
  const gone = lena.next("disconnect");
  await hanna.ok("player:remove", { playerId: lena.playerId });
  await gone;
  everybody.splice(everybody.indexOf(lena), 1);

  // The end before the reveal.
  await look();
  await hanna.ok("session:end", {});
  await look();
}

/** A session of three whose one round is revealed, Vera's vote in it. */
async function playFinale(table, { finale, secrets }) {
  const { host, sessionId, code } = await table.open("hanna (finale)");
  secrets.ids.set(sessionId, "session").set(code, "code");
  const vera = await table.client("vera (finale)", { sessionId, playerName: "Vera" })
    .connectAndJoin();
  const storyId = host.joined.currentStory.id;
  await vera.ok("vote:submit", { storyId, ...finale });
  await host.ok("cards:reveal", {});
}
