// What a client hears when the server ends something (protocol.md §6), and
// whether it comes back.

import assert from "node:assert/strict";
import { io } from "socket.io-client";
import { next, story, transports, url } from "./story.mjs";

const options = { transports, forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 100 };

async function connected() {
  const socket = io(url, options);
  await next(socket, "connect");
  return socket;
}

await story({
  "a socket that is disconnected stays away": async () => {
    const socket = await connected();
    socket.emit("disconnect me");
    const [reason] = await next(socket, "disconnect");
    assert.equal(reason, "io server disconnect");
    assert.equal(socket.active, false);
    socket.close();
  },
  "a connection that is closed comes back": async () => {
    const socket = await connected();
    socket.emit("close");
    const [reason] = await next(socket, "disconnect");
    assert.equal(reason, "transport close");
    assert.equal(socket.active, true);
    await next(socket, "connect");
    assert.equal(await socket.emitWithAck("back"), "back");
    socket.close();
  },
  "last words arrive": async () => {
    const socket = await connected();
    const answer = socket.emitWithAck("last words");
    socket.emit("close");
    assert.equal(await answer, "last words");
    socket.close();
  },
  "a refusal carries data and is final": async () => {
    const socket = io(`${url}/refused`, options);
    const [error] = await next(socket, "connect_error");
    assert.equal(error.message, "not now");
    assert.deepEqual(error.data, { content: "try later" });
    assert.equal(socket.active, false);
    socket.close();
  },
  "nothing is lost, doubled or reordered, come an upgrade": async () => {
    const socket = await connected();
    const seen = [];
    const all = new Promise((resolve) => {
      socket.on("n", (n) => {
        seen.push(n);
        if (n === 999) resolve();
      });
    });
    socket.emit("count");
    const answers = Array.from({ length: 200 }, (_, n) => socket.emitWithAck(`answer ${n}`));
    await all;
    assert.deepEqual(seen, Array.from({ length: 1000 }, (_, n) => n));
    assert.deepEqual(await Promise.all(answers), Array.from({ length: 200 }, (_, n) => `answer ${n}`));
    assert.equal(socket.io.engine.transport.name, transports.at(-1));
    socket.close();
  },
  "the heartbeat keeps an idle connection": async () => {
    const socket = await connected();
    socket.on("disconnect", (reason) => assert.fail(reason));
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.equal(await socket.emitWithAck("alive"), "alive");
  },
});
