// A connection that breaks, and what the table makes of it.

import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { Decoder, Encoder } from "socket.io-parser";

import { startServer, UNLIMITED } from "../../../tests/clients/support/server.mjs";
import { agrees, refusal, Room, serve, story, until } from "./support/people.mjs";

const server = await serve();

const isOnline = (table) => table.connection.status === "online";

/** Hands on what `heard` is true of; one serves all connections of a client. */
class Sieve extends Decoder {
  #own = new Map();

  on(event, listener) {
    const own = (packet) => this.heard(packet) && listener(packet);
    this.#own.set(listener, own);
    return super.on(event, own);
  }

  off(event, listener) {
    return super.off(event, this.#own.get(listener) ?? listener);
  }
}

/** Counts what a client sends, and hears whether its connection can be recovered. */
function counting() {
  const sent = [];
  const CONNECT = 0;
  class Listening extends Sieve {
    heard(packet) {
      if (packet.type === CONNECT) counted.isRecoverable = packet.data.pid !== undefined;
      return true;
    }
  }
  class Counting extends Encoder {
    encode(packet) {
      if (Array.isArray(packet.data)) sent.push(packet.data[0]);
      return super.encode(packet);
    }
  }
  const counted = { sent, isRecoverable: false, socket: { parser: { Encoder: Counting, Decoder: Listening } } };
  return counted;
}

/** Loses the next event or answer that `isLost` is true of. */
function losing() {
  const losses = [];
  class Losing extends Sieve {
    heard(packet) {
      const index = losses.findIndex((isLost) => Array.isArray(packet?.data) && isLost(...packet.data));
      if (0 <= index) losses.splice(index, 1);
      return index < 0;
    }
  }
  return { lose: (isLost) => losses.push(isLost), left: losses, socket: { parser: { Encoder, Decoder: Losing } } };
}

story(server, "a connection that is cut comes back", async (room) => {
  const host = await room.open();
  const proxy = await room.proxy();
  const counted = counting();
  const ann = await room.join("Ann", {}, { url: proxy.url, socket: counted.socket });
  await ann.vote("5", 4);
  const id = ann.state.playerId;
  const seen = [];
  ann.subscribe(() => seen.push(ann.connection.status));

  proxy.refuse();
  await until(ann, () => ann.connection.status === "reconnecting");
  assert.ok(Date.now() < ann.connection.retryAt + 1);
  await until(ann, () => 2 <= ann.connection.attempt);
  await host.createStory({ title: "Meanwhile" });
  await refusal("OFFLINE", ann.nudge());
  proxy.allow();
  ann.retryNow();
  await until(ann, isOnline);
  assert.equal(ann.connection.attempt, 0);
  assert.equal(ann.state.playerId, id);
  await until(ann, () => ann.state.stories.length === 2);
  assert.deepEqual(ann.state.myVote, { value: "5", confidence: 4, saved: true });
  await agrees(room, ann);
  assert.ok(!seen.includes("closed"));
  // One join for the first time, and one more unless the connection was
  // recovered. Over polling the server may not know yet that it was lost.
  const isRecovered = counted.isRecoverable && room.transports[0] === "websocket";
  const count = (event) => counted.sent.filter((name) => name === event).length;
  if (isRecovered || !counted.isRecoverable) assert.equal(count("session:join"), isRecovered ? 1 : 2);
  assert.equal(count("session:sync"), 0);
});

story(server, "a command in doubt is sent again and done once", async (room) => {
  const proxy = await room.proxy();
  const host = await room.open({}, { url: proxy.url });
  for (const way of ["up", "down"]) {
    proxy.stall(way);
    const title = `Lost on the way ${way}`;
    const created = host.createStory({ title });
    const vote = host.vote(way === "up" ? "3" : "5");
    await new Promise((resolve) => setTimeout(resolve, 100));
    proxy.allow();
    proxy.cut();
    const { storyId } = await created;
    await vote;
    await until(host, () => host.state.stories.some(({ id }) => id === storyId));
    assert.equal(host.state.stories.filter((story) => story.title === title).length, 1);
  }
  assert.deepEqual(host.state.myVote, { value: "5", saved: true });
  await agrees(room, host);
});

story(server, "the last vote waits for the connection, in its round", async (room) => {
  const host = await room.open();
  const proxy = await room.proxy();
  const ann = await room.join("Ann", {}, { url: proxy.url });
  proxy.refuse();
  await until(ann, () => !isOnline(ann));
  const first = ann.vote("3");
  const last = ann.vote("8", 2);
  assert.deepEqual(ann.state.myVote, { value: "8", confidence: 2, saved: false });
  proxy.allow();
  await Promise.all([first, last]);
  assert.deepEqual(ann.state.myVote, { value: "8", confidence: 2, saved: true });

  proxy.refuse();
  await until(ann, () => !isOnline(ann));
  const late = refusal("STALE_ROUND", ann.vote("13"));
  await host.vote("1");
  await host.reset();
  proxy.allow();
  await late;
  assert.equal(ann.state.myVote, null);
  await agrees(room, ann);
});

story(server, "a gap is repaired", async (room) => {
  const host = await room.open();
  const { lose, left, socket } = losing();
  const ann = await room.join("Ann", {}, { socket });
  lose((name) => name === "story:created");
  await host.createStory({ title: "Lost" });
  await host.createStory({ title: "Heard" });
  await until(ann, () => ann.state.stories.length === 3);
  assert.deepEqual(left, []);
  await agrees(room, ann);
});

// Hung for ever: the vote, and the table as it was before the gap.
story(server, "an answer that never comes is asked for once more", async (room) => {
  const host = await room.open();
  const { lose, left, socket } = losing();
  const ann = await room.join("Ann", {}, { socket, timeoutMs: 2_000 });
  const isVoted = ({ ok, snapshot, serverTime }) => ok && !snapshot && !serverTime;
  lose(isVoted);
  await ann.vote("3");
  assert.deepEqual(ann.state.myVote, { value: "3", saved: true });

  // Nothing more is told by the recovered connection: what was held is all there is.
  lose((name) => name === "story:created");
  lose(({ ok, snapshot, playerToken }) => ok && snapshot && !playerToken);
  await host.createStory({ title: "Lost" });
  await host.createStory({ title: "Heard" });
  await until(ann, () => ann.state.stories.length === 3);
  assert.deepEqual(left, []);
  await agrees(room, ann);
}, { timeout: 60_000 });

story(server, "tokens", async (room) => {
  const host = await room.open();
  const storage = memory();
  const ann = await room.join("Ann", {}, { storage });
  const { token } = ann;
  const id = ann.state.playerId;
  assert.equal(ann.remembered(room.code.toLowerCase()).playerId, id);
  ann.close();
  assert.equal(ann.state, null);

  // Remembered by the id, found by the code; no name is needed.
  const again = room.table({ storage });
  await again.join({ joinCode: room.code });
  assert.equal(again.state.playerId, id);
  const elsewhere = room.table();
  await elsewhere.join({ sessionId: room.id, token });
  assert.equal(elsewhere.state.playerId, id);
  await refusal("INVALID_PLAYER_TOKEN", room.table().join({ sessionId: room.id, token: `${token}x` }));
  const nobody = room.table();
  await refusal("NAME_REQUIRED", nobody.join({ sessionId: room.id }));
  assert.deepEqual([nobody.connection.status, nobody.state], ["closed", null]);
  await refusal("SESSION_NOT_FOUND", nobody.join({ joinCode: "ZZZZZZZZ", name: "Ann" }));

  // A remembered token that is worth nothing: a new seat, if there is a name for it.
  await host.removePlayer(id);
  const back = room.table({ storage: memory(storage.items) });
  storage.setItem(`cardroom.seat.${room.id}`, JSON.stringify({ ...seat(room), token }));
  const fresh = room.table({ storage });
  await fresh.join({ sessionId: room.id, name: "Ann" }).catch((error) => assert.equal(error.code, "PLAYER_REMOVED"));
  assert.notEqual(fresh.state?.playerId, id);
  back.close();
});

story(server, "a password", async (room) => {
  await room.open({ password: "open sesame" });
  const ann = room.table();
  await refusal("PASSWORD_REQUIRED", ann.join({ sessionId: room.id, name: "Ann" }));
  await refusal("PASSWORD_INVALID", ann.join({ sessionId: room.id, name: "Ann", password: "open barley" }));
  await ann.join({ sessionId: room.id, name: "Ann", password: "open sesame" });
  assert.equal(ann.state.me.name, "Ann");
});

story(server, "no answer in time", async (room) => {
  const proxy = await room.proxy();
  const host = await room.open({}, { url: proxy.url, timeoutMs: 2_000 });
  proxy.stall();
  await refusal("TIMEOUT", host.createStory({ title: "Lost" }));
  const lost = host.createStory({ title: "Lost as well" });
  const closed = refusal("CLOSED", lost);
  host.close();
  await closed;
});

describe("limits", () => {
  it("tell when to try again, and lose no vote", async () => {
    const once = Object.fromEntries(["vote:submit", "vote:change", "story:create"].map((event) => [`rate_limits.${event}`, 1]));
    const strict = await startServer({ ...UNLIMITED, ...once });
    const room = new Room(strict.url, ["websocket"]);
    try {
      const host = await room.open();
      const limited = new Promise((resolve) => {
        host.on("rate:limit", ({ event }) => event === "vote:change" && resolve());
      });
      await host.createStory({ title: "One" });
      await assert.rejects(host.createStory({ title: "Two" }), (error) => {
        assert.equal(error.code, "RATE_LIMITED");
        assert.ok(1 <= error.retryAfter && error.retryAfter <= 60);
        return true;
      });
      await host.vote("1");
      await host.vote("2");
      const third = refusal("STALE_ROUND", host.vote("3"));
      await limited;
      assert.deepEqual(host.state.myVote, { value: "3", saved: false });
      // What waited is dropped with its round.
      await host.reset();
      await third;
    } finally {
      await room.close();
      await strict.stop();
    }
  });
});

describe("at the door", () => {
  it("whoever guesses is told to slow down", async () => {
    const strict = await startServer({ ...UNLIMITED, "limits.failed_joins_max": 1 });
    const room = new Room(strict.url, ["websocket"]);
    try {
      const guess = (joinCode) => room.table().join({ joinCode, name: "Ann" });
      await refusal("SESSION_NOT_FOUND", guess("AAAAAAAA"));
      await refusal("RATE_LIMITED", guess("BBBBBBBB"));
    } finally {
      await room.close();
      await strict.stop();
    }
  });
});

describe("a server that goes away and forgets", () => {
  for (const transports of [["websocket"], ["polling"]]) {
    it(`over ${transports}`, async (context) => {
      const start = async () => {
        const server = await startServer({ ...UNLIMITED, "auth.token_keys": KEYS });
        context.after(() => server.stop());
        return server;
      };
      const first = await start();
      const room = new Room(first.url, transports);
      context.after(() => room.close());
      const proxy = await room.proxy();
      const host = await room.open({}, { url: proxy.url });
      await first.stop();
      await until(host, () => host.connection.status === "reconnecting");
      await until(host, () => 2 <= host.connection.attempt);
      assert.ok(host.state, "the table stays in sight");
      proxy.lead((await start()).url);
      await until(host, () => host.connection.status === "closed");
      assert.equal(host.connection.error.code, "SESSION_NOT_FOUND");
      await refusal("OFFLINE", host.reveal());
    });
  }
});

/** Tokens outlive the server that gave them. */
const KEYS = '[{ kid = "test", secret = "what the tokens of this test are signed with" }]';

function memory(items = new Map()) {
  return {
    items,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

const seat = (room) => ({ sessionId: room.id, code: room.code, playerId: "", sessionName: "", usedAt: 0 });
