// HTTP and sockets at the same table: opened over REST, played over
// Socket.IO, taken away as a file.

import assert from "node:assert/strict";

import { PROMPT, UNLIMITED } from "./support/server.mjs";
import { serve, story } from "./support/table.mjs";

const server = await serve({ ...UNLIMITED, ...PROMPT });

/** A request with JSON; resolves with status and body, parsed if it is JSON. */
async function call(method, path, { body, token } = {}) {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method,
    headers: {
      ...(body && { "content-type": "application/json" }),
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, body: isJson ? JSON.parse(text) : text };
}

/** Opens a session over HTTP; nobody has joined it yet. */
async function opened(table, more = {}) {
  const { status, body } = await call("POST", "/sessions", { body: { name: "By REST", ...more } });
  assert.equal(status, 201);
  table.id = body.sessionId;
  table.code = body.code;
  return body;
}

story(server, "a session that was opened over HTTP", async (table) => {
  const { hostToken, hostPlayerId, code } = await opened(table, { deck: "t-shirt", playerName: "Hanna" });
  const card = await call("GET", `/sessions/${code}`);
  assert.deepEqual(
    [card.status, card.body.name, card.body.status, card.body.playerCount, card.body.locked],
    [200, "By REST", "open", 0, false],
  );

  // The host's seat waits for the holder of the token; others may come first.
  const ann = await table.join("Ann");
  assert.equal(ann.joined.player.isHost, true, "somebody acts until the host is there");
  const host = table.client({ auth: { sessionId: code, playerToken: hostToken } });
  const { player, snapshot } = await host.next("session:joined");
  assert.deepEqual([player.id, player.role, player.isHost, player.name], [hostPlayerId, "host", true, "Hanna"]);
  assert.equal(snapshot.settings.deck.id, "t-shirt");
  table.story = snapshot.currentStory.id;
  assert.equal((await ann.next("player:promoted", ({ reason }) => reason === "returned")).newHost.id, hostPlayerId);

  // A seat taken over HTTP is at the table once its socket is.
  const seat = await call("POST", `/sessions/${table.id}/join`, { body: { playerName: "Bob" } });
  assert.equal(seat.status, 200);
  assert.equal((await host.settle()).playerCount, 2);
  const bob = table.client();
  await bob.do("session:join", { sessionId: table.id, playerToken: seat.body.playerToken });
  assert.equal((await host.next("player:joined", ({ player }) => player.name === "Bob")).player.id, seat.body.playerId);

  const validate = (token) => call("POST", "/sessions/validate", { body: { sessionId: table.id, playerToken: token } });
  assert.deepEqual([(await validate(hostToken)).body.valid, (await validate(hostToken)).body.role], [true, "host"]);
  assert.equal((await validate("nonsense")).body.code, "INVALID_PLAYER_TOKEN");

  // Stories that other programs add are seen at once.
  const added = await call("POST", `/sessions/${table.id}/stories`, { token: hostToken, body: { title: "From outside", key: "X-1" } });
  assert.equal(added.status, 201);
  const told = await bob.next("story:created");
  assert.deepEqual([told.story.id, told.story.key, told.seq], [added.body.storyId, "X-1", added.body.seq]);
  const refused = await call("POST", `/sessions/${table.id}/stories`, { token: seat.body.playerToken, body: { title: "Mine" } });
  assert.deepEqual([refused.status, refused.body.code], [403, "FORBIDDEN"]);

  // The same snapshot as over the socket, and hidden votes stay hidden.
  await bob.do("vote:submit", table.vote("XL"));
  const state = async (token) => (await call("GET", `/sessions/${table.id}/state`, { token })).body;
  const mine = await state(seat.body.playerToken);
  assert.deepEqual([mine.you.vote.value, mine.seq], ["XL", (await bob.settle()).seq]);
  const theirs = await state(hostToken);
  assert.deepEqual([theirs.you.vote, theirs.round.voteCount, theirs.round.votes], [undefined, 1, undefined]);
});

story(server, "the export", async (table) => {
  const { hostToken } = await opened(table, { playerName: "Hanna" });
  const host = table.client({ auth: { sessionId: table.id, playerToken: hostToken } });
  await host.next("session:joined");
  table.story = host.joined.currentStory.id;
  const ann = await table.join("Ann");
  await host.do("story:update", { title: "Log in, then out", key: "S-1" });
  await host.do("vote:submit", table.vote("5"));
  await ann.do("vote:submit", table.vote("8"));
  const file = (format, token = hostToken) => call("GET", `/sessions/${table.code}/export?format=${format}`, { token });

  // Nothing of an unrevealed round is in it, and nobody else gets it.
  const before = await file("json");
  assert.equal(before.status, 200);
  assert.equal(JSON.stringify(before.body).includes(ann.id), false);
  assert.equal((await file("csv", "nonsense")).status, 401);
  assert.equal((await file("pdf")).body.code, "BAD_REQUEST");

  await host.do("cards:reveal");
  await host.do("story:finalize", { storyId: table.story, value: "8" });
  const json = JSON.stringify((await file("json")).body);
  for (const part of ["Log in, then out", "S-1", "Ann", "near"]) assert.ok(json.includes(part), `${part} in ${json}`);
  const csv = (await file("csv")).body;
  assert.match(csv, /"Log in, then out"/);
  assert.match((await file("md")).body, /Log in, then out/);

  // Also after the end, by the address that `session:ended` names.
  const end = await call("DELETE", `/sessions/${table.id}`, { token: hostToken });
  assert.equal(end.status, 204);
  const { exportUrl } = await ann.next("session:ended");
  const last = await call("GET", exportUrl.replace("/api/v1", ""), { token: ann.joined.playerToken });
  assert.deepEqual([last.status, last.body], [200, csv]);
  assert.equal((await call("GET", `/sessions/${table.id}`)).body.status ?? "ended", "ended");
});

story(server, "a client of the original events at a table opened over HTTP", async (table) => {
  await opened(table, { settings: { preset: "open" } });
  const ann = await table.stranger();
  ann.tell("session:join", { sessionId: table.code, playerName: "Ann" });
  const { currentStory } = await ann.next("session:joined");
  ann.tell("vote:submit", { storyId: currentStory.id, value: "5" });
  await ann.next("vote:submitted");
  ann.tell("cards:reveal", {});
  assert.equal((await ann.next("cards:revealed")).votes[0].value, "5");
  ann.tell("game:reset", {});
  assert.equal((await ann.next("game:reset")).round.voteCount, 0);
});
