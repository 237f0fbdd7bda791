// socket.io-client against the conformance profile `client`.

import assert from "node:assert/strict";
import { io } from "socket.io-client";
import { next, story, transports, url } from "./story.mjs";

const options = { transports, forceNew: true };
const bytes = Buffer.from("asdfasdf");
const socket = io(url, { ...options, auth: { token: "secret" }, query: { key: "&=bar" } });

await story({
  connects: () => next(socket, "connect"),
  "upgrades if it may": async () => {
    const { engine } = socket.io;
    const last = transports.at(-1);
    if (engine.transport.name !== last) await next(engine, "upgrade");
    assert.equal(engine.transport.name, last);
  },
  "tells its handshake": async () => {
    const { query, auth } = await socket.emitWithAck("getHandshake");
    assert.equal(query.key, "&=bar");
    assert.equal(query.EIO, "4");
    assert.deepEqual(auth, { token: "secret" });
  },
  "has the id that the server knows": async () => {
    assert.equal(await socket.emitWithAck("getId"), socket.id);
    assert.notEqual(socket.id, socket.io.engine.id);
  },
  "emits and receives": async () => {
    socket.emit("hi");
    await next(socket, "hi");
    socket.emit("false");
    assert.deepEqual(await next(socket, "false"), [false]);
    socket.emit("getDateObj");
    const [{ date }] = await next(socket, "takeDateObj");
    assert.equal(new Date(date).toISOString(), date);
  },
  "is acknowledged": async () => {
    const value = { null: null, text: "\u{1f0a1} \u2028 \0", list: [1.5, -2, true] };
    assert.deepEqual(await socket.emitWithAck("echo", value), value);
  },
  acknowledges: async () => {
    socket.once("ack", (callback) => callback(5, { test: true }));
    socket.emit("ack");
    await next(socket, "got it");
  },
  "keeps UTF-8 and order": async () => {
    const texts = [];
    socket.on("takeUtf8", (text) => texts.push(text));
    socket.emit("getUtf8");
    await socket.emitWithAck("echo", 0);
    const expected = ["てすと", "Я Б Г Д Ж Й", "Ä ä Ü ü ß", "utf8 — string", "utf8 — string"];
    assert.deepEqual(texts, expected);
  },
  "receives binary": async () => {
    socket.emit("doge");
    assert.deepEqual(await next(socket, "doge"), [bytes]);
    socket.emit("getbin");
    assert.deepEqual(await next(socket, "takebin"), [bytes]);
  },
  "sends binary": async () => {
    socket.emit("buffa", bytes);
    await next(socket, "buffack");
    socket.emit("jsonbuff", { hello: "lol", message: bytes, goodbye: "gotcha" });
    await next(socket, "jsonbuff-ack");
    socket.emit("abuff1", bytes);
    socket.emit("abuff2", bytes);
    await next(socket, "abuff2-ack");
  },
  "survives a burst": async () => {
    const answers = Array.from({ length: 500 }, (_, n) => socket.emitWithAck("echo", n));
    assert.deepEqual(await Promise.all(answers), Array.from({ length: 500 }, (_, n) => n));
  },
  "joins other namespaces on the same connection": async () => {
    const foo = socket.io.socket("/foo");
    await next(foo, "connect");
    assert.equal(await foo.emitWithAck("getId"), foo.id);
    assert.notEqual(foo.id, socket.id);
    const abc = socket.io.socket("/abc", { auth: { a: "b" } });
    const [handshake] = await next(abc, "handshake");
    assert.deepEqual(handshake.auth, { a: "b" });
    foo.disconnect();
    assert.equal(await socket.emitWithAck("echo", "alive"), "alive");
  },
  "is told why it may not connect": async () => {
    for (const [namespace, message] of [
      ["/no", "Auth failed (custom namespace)"],
      ["/random", "Invalid namespace"],
    ]) {
      const refused = socket.io.socket(namespace);
      const [error] = await next(refused, "connect_error");
      assert.equal(error.message, message);
    }
    const failing = io(url, { ...options, query: { fail: true } });
    const [error] = await next(failing, "connect_error");
    assert.equal(error.message, "Auth failed (main namespace)");
    failing.close();
    assert.equal(await socket.emitWithAck("echo", "alive"), "alive");
  },
  "reconnects after its transport broke": async () => {
    const before = socket.id;
    const broken = next(socket, "disconnect");
    socket.io.engine.close();
    await broken;
    await next(socket, "connect");
    assert.notEqual(socket.id, before);
    assert.equal(await socket.emitWithAck("echo", "again"), "again");
  },
  disconnects: async () => {
    const gone = next(socket, "disconnect");
    socket.disconnect();
    assert.equal((await gone)[0], "io client disconnect");
  },
});
