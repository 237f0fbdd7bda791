// Connection state recovery on one instance, with the unmodified client. The
// letters are those of the known defects of other servers that each story is
// about.

import assert from "node:assert/strict";
import { after, it } from "node:test";

import { Table, names, overEveryTransport } from "./recovery_client.mjs";
import { UNLIMITED, startServer } from "./support/server.mjs";

// Nobody leaves because the machine was too busy to bring him back.
const settings = { ...UNLIMITED, "log.level": "info", "session.disconnect_grace_ms": 120_000 };
const server = await startServer(settings);
after(() => server.stop());

/** All of it at one server. */
class HomeTable extends Table {
  constructor(transport, url = server.url) {
    super(transport);
    this.url = url;
  }

  stranger(options) {
    return this.meet(this.url, options);
  }

  open() {
    return this.found(this.url);
  }

  join(playerName, more) {
    return this.seat(this.url, playerName, more);
  }
}

const story = (title, tell) => overEveryTransport(title, (transport) => new HomeTable(transport), tell);

const news = async (traveller) => {
  await traveller.do("session:sync");
  return names(traveller.unread());
};

story("a connection is cut: the same socket, and all that was missed, in order and before it is connected", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await table.quiet();
  const before = { id: ann.id, heard: ann.heard.length };
  const back = await ann.lose("cut", async () => {
    await host.do("vote:submit", table.vote("5"));
    await host.do("cards:reveal");
    await host.do("game:reset");
  });
  assert.deepEqual([back.recovered, back.id], [true, before.id]);
  const missed = ann.heard.slice(before.heard, back.before);
  assert.deepEqual(names(missed), ["vote:submitted", "cards:revealed", "game:reset"]);
  // Nobody has noticed anything, and the seat works as before.
  assert.deepEqual(await news(host), ["vote:submitted", "cards:revealed", "game:reset"]);
  await ann.do("vote:submit", table.vote("8"));
  assert.deepEqual(await news(ann), ["vote:submitted", "cards:revealed", "game:reset", "vote:submitted"]);
});

story("a: who has received nothing comes back all the same", async (table) => {
  const stranger = await table.stranger();
  const { id } = stranger;
  const back = await stranger.lose("cut");
  assert.deepEqual([back.recovered, back.id], [true, id]);

  const host = await table.open();
  const ann = await table.join("Ann");
  await table.quiet();
  const heard = ann.heard.length;
  // As if it had joined and heard of nothing since.
  ann.socket._lastOffset = undefined;
  const again = await ann.lose("cut", () => host.do("vote:submit", table.vote("5")));
  assert.equal(again.recovered, true);
  assert.deepEqual(names(ann.heard.slice(heard)), ["vote:submitted"]);
});

story("b and h: what is volatile leaves no trace in the offset and is not replayed", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await host.do("vote:submit", table.vote("5"));
  await host.do("reaction:send", { emoji: "👍" });
  await ann.next("reaction:received");
  const { offset } = ann.heard.find(({ name }) => name === "reaction:received");
  assert.equal(offset, undefined);
  await ann.do("heartbeat", { timestamp: 1 });
  const heard = ann.heard.length;
  const back = await ann.lose("cut", async () => {
    await host.do("reaction:send", { emoji: "👍" });
    await host.do("vote:change", table.vote("8"));
  });
  assert.equal(back.recovered, true);
  assert.deepEqual(names(ann.heard.slice(heard, back.before)), ["vote:submitted"]);
});

story("c: the server has not noticed", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await table.quiet();
  const { id } = ann;
  for (let round = 0; round < 2; round += 1) {
    const heard = ann.heard.length;
    const back = await ann.lose("cutUnnoticed", () => host.do("vote:submit", table.vote(["5", "8"][round])));
    assert.deepEqual([back.recovered, back.id], [true, id]);
    assert.deepEqual(names(ann.heard.slice(heard, back.before)), ["vote:submitted"]);
  }
  // The connections that were left behind are closed, and nobody leaves by that.
  await ann.do("vote:submit", table.vote("13"));
  assert.deepEqual(await news(host), ["vote:submitted", "vote:submitted", "vote:submitted"]);
  assert.equal((await host.do("session:sync")).snapshot.players.every(({ isOnline }) => isOnline), true);
});

story("e: twice in a row, and nothing is told twice", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await table.quiet();
  const heard = ann.heard.length;
  for (const value of ["1", "2", "3"]) {
    const back = await ann.lose("cut", () => host.do("vote:submit", table.vote(value)));
    assert.equal(back.recovered, true);
  }
  assert.equal((await ann.lose("cut")).recovered, true);
  assert.deepEqual(names(ann.heard.slice(heard)), ["vote:submitted", "vote:submitted", "vote:submitted"]);
});

story("f: who has missed too much joins again", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await table.quiet();
  const { id, token } = ann;
  const back = await ann.lose("cut", async () => {
    for (let count = 0; count < 600; count += 50) {
      const some = Array.from({ length: 50 }, (_, index) => host.do("vote:submit", table.vote(`${[1, 2, 3, 5, 8][index % 5]}`)));
      await Promise.all(some);
    }
  });
  assert.equal(back.recovered, false);
  assert.notEqual(back.id, id);
  await server.logged(/not recovered.*reason="(other history|too far behind)"/);
  await ann.do("session:join", { sessionId: table.id, playerToken: token });
  assert.equal(ann.joined.snapshot.round.voteCount, 1);
  assert.equal((await ann.lose("cut")).recovered, true);
});

story("i: an offset of another history, or none at all, is no way back", async (table) => {
  await table.open();
  const ann = await table.join("Ann");
  const [version] = ann.socket._lastOffset.split("-");
  for (const offset of [`${version}-1`, "ffff-1", "1-1.1-1", "garbage", "", "-", "x".repeat(10_000), `${ann.socket._lastOffset}.1`]) {
    ann.socket._lastOffset = offset;
    const back = await ann.lose("cut");
    assert.equal(back.recovered, false, offset);
    await ann.do("session:join", { sessionId: table.id, playerToken: ann.token });
  }
});

story("j and k: acknowledgements have no offset, and a command that is repeated counts once", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await table.quiet();
  const answer = await new Promise((resolve) =>
    ann.socket.emit("vote:submit", { ...table.vote("5"), requestId: "r1" }, (...all) => resolve(all)));
  assert.equal(answer.length, 1);
  await ann.lose("cut");
  const again = await ann.do("vote:submit", { ...table.vote("8"), requestId: "r1" });
  assert.deepEqual([again.seq, again.value], [answer[0].seq, "5"]);
  assert.deepEqual(await news(host), ["vote:submitted"]);
});

story("one's own vote in another tab is replayed to oneself and nobody else", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  const tab = await table.stranger();
  await tab.do("session:join", { sessionId: table.id, playerToken: ann.token });
  await table.quiet();
  const heard = [ann.heard.length, host.heard.length];
  const back = await Promise.all([
    ann.lose("cut", () => tab.do("vote:submit", table.vote("13"))),
    host.lose("cut", () => ann.until(() => ann.connects.length === 2, "the other")),
  ]);
  assert.deepEqual(back.map(({ recovered }) => recovered), [true, true]);
  assert.deepEqual(names(ann.heard.slice(heard[0], back[0].before)), ["vote:submitted", "vote:mine"]);
  assert.equal((await ann.next("vote:mine", heard[0])).value, "13");
  assert.deepEqual(names(host.heard.slice(heard[1])), ["vote:submitted"]);
  assert.ok(!JSON.stringify(host.heard.slice(heard[1])).includes('"13"'));
});

story("half of an event: the rest of it is replayed", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  const tab = await table.stranger();
  await tab.do("session:join", { sessionId: table.id, playerToken: ann.token });
  await table.quiet();
  await tab.do("vote:submit", table.vote("13"));
  await ann.next("vote:mine");
  const { offset } = ann.heard.find(({ name }) => name === "vote:submitted");
  assert.match(offset, /^[0-9a-f]+-[0-9a-f]+\.1-[0-9a-f]+$/);
  ann.socket._lastOffset = offset;
  const heard = ann.heard.length;
  const back = await ann.lose("cut", () => host.do("vote:submit", table.vote("5")));
  assert.equal(back.recovered, true);
  assert.deepEqual(names(ann.heard.slice(heard)), ["vote:mine", "vote:submitted"]);
});

story("a handshake that names a session joins once, and again only if there is no way back", async (table) => {
  await table.open();
  const ann = await table.stranger({ auth: { sessionId: table.id, playerName: "Ann" } });
  await ann.next("session:joined");
  ann.auth = { sessionId: table.id, playerToken: ann.token };
  assert.equal((await ann.lose("cut")).recovered, true);
  await ann.do("session:sync");
  assert.equal(ann.heard.filter(({ name }) => name === "session:joined").length, 1);
  ann.socket._pid = "no such private id!!";
  const { player } = ann;
  assert.equal((await ann.lose("cut")).recovered, false);
  await ann.until(() => ann.heard.filter(({ name }) => name === "session:joined").length === 2, "the second snapshot");
  assert.equal(ann.player, player);
});

story("who left on purpose, or was put out, does not come back", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  const bob = await table.join("Bob");
  const { id } = ann;
  // The client keeps its private id over `disconnect()`.
  ann.socket.disconnect();
  ann.socket.connect();
  const back = await ann.connected(2);
  assert.equal(back.recovered, false);
  assert.notEqual(back.id, id);

  const removed = await bob.lose("cut", () => host.do("player:remove", { playerId: bob.player }));
  assert.equal(removed.recovered, false);
  // If the server had not noticed the cut, the removal has ended the socket.
  await server.logged(/not recovered.*reason="(seat gone|unknown id)"/);
  const refused = await bob.ask("session:join", { sessionId: table.id, playerToken: bob.token });
  assert.equal(refused.error.code, "PLAYER_REMOVED");
});

story("who left the session comes back to none", async (table) => {
  await table.open();
  const ann = await table.join("Ann");
  await ann.do("session:leave");
  const back = await ann.lose("cut");
  assert.equal(back.recovered, false);
  assert.equal((await ann.ask("vote:submit", table.vote("5"))).error.code, "NOT_JOINED");
});

story("the end of the session is replayed, and then it is over", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await table.quiet();
  const heard = ann.heard.length;
  const back = await ann.lose("cut", () => host.do("session:end"));
  assert.equal(back.recovered, true);
  assert.deepEqual(names(ann.heard.slice(heard, back.before)), ["session:ended"]);
});

story("private ids that are made up are looked for only so often", async (table) => {
  const stranger = await table.stranger();
  stranger.socket._pid = "AAAAAAAAAAAAAAAAAAAA";
  assert.equal((await stranger.lose("cut")).recovered, false);
  await server.logged(/not recovered.*reason="unknown id"/);
  assert.equal((await stranger.lose("cut")).recovered, true);
});

it("without a window there are neither private ids nor offsets", async () => {
  const plain = await startServer({ ...settings, "recovery.window_seconds": 0 });
  const table = new HomeTable("websocket", plain.url);
  try {
    const host = await table.open();
    await host.do("vote:submit", table.vote("5"));
    assert.equal(host.socket._pid, undefined);
    assert.ok(host.heard.every(({ offset }) => offset === undefined));
    assert.equal((await host.lose("cut")).recovered, false);
  } finally {
    table.close();
    await plain.stop();
  }
});
