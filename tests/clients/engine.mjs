// engine.io-client against the conformance profile `engineclient`.

import assert from "node:assert/strict";
import { Socket } from "engine.io-client";
import { next, story, transports, url } from "./story.mjs";

const open = (query = {}, options = {}) =>
  new Socket(url, { path: "/engine.io", transports, query, ...options });

const socket = open();
const messages = [];
let wake = () => {};
socket.on("message", (message) => {
  messages.push(message);
  wake();
});

async function message() {
  while (messages.length === 0) await new Promise((resolve) => (wake = resolve));
  return messages.shift();
}

await story({
  "opens and is greeted": async () => assert.equal(await message(), "hi"),
  "upgrades if it may": async () => {
    if (socket.transport.name !== transports.at(-1)) await next(socket, "upgrade");
  },
  "echoes text": async () => {
    for (const text of ["a", "cash money €€€", "\u{1f0a1}"]) {
      socket.send(text);
      assert.equal(await message(), text);
    }
  },
  "echoes binary": async () => {
    for (const bytes of [[], [0, 1, 2, 3, 4], Array(50).fill(255)]) {
      socket.send(Buffer.from(bytes));
      assert.deepEqual([...(await message())], bytes);
    }
  },
  "is given both": async () => {
    socket.send("give binary");
    assert.deepEqual([...(await message())], [0, 1, 2, 3, 4]);
    socket.send("give utf8");
    assert.equal(await message(), "пойду спать всем спокойной ночи");
  },
  "splits what exceeds maxPayload over requests": async () => {
    const texts = Array.from({ length: 20 }, (_, n) => "€".repeat(20) + n);
    for (const text of texts) socket.send(text);
    for (const text of texts) assert.equal(await message(), text);
  },
  "pings and pongs": async () => {
    await next(socket, "heartbeat");
    await next(socket, "heartbeat");
  },
  "is denied": async () => {
    const denied = open({ deny: 1 });
    const [error] = await next(denied, "error");
    if (transports[0] === "polling") assert.equal(error.context.status, 403);
  },
  "sends headers": async () => {
    const other = open({}, { extraHeaders: { "X-Custom-Header-For-My-Project": "my-secret" } });
    await next(other, "open");
    other.send("sendHeaders");
    let text = "hi";
    while (text === "hi") [text] = await next(other, "message");
    assert.equal(JSON.parse(text)["x-custom-header-for-my-project"], "my-secret");
    other.close();
  },
  "gets cookies on the handshake": async () => {
    const answer = await fetch(`${url}/engine.io/?EIO=4&transport=polling`);
    const cookies = answer.headers.getSetCookie();
    assert.deepEqual(cookies.slice(0, 3), [
      "1=1; Max-Age=86400",
      "2=2; Path=/; HttpOnly; Secure; SameSite=Strict",
      "3=3; Max-Age=0",
    ]);
    assert.match(cookies[3], /^4=4; Expires=\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/);
  },
  "is closed when it says too much": async () => {
    const other = open();
    await next(other, "open");
    if (other.transport.name !== transports.at(-1)) await next(other, "upgrade");
    other.send("x".repeat(200));
    const [reason, details] = await next(other, "close");
    if (other.transport.name === "websocket") {
      assert.equal(reason, "transport close");
      assert.equal(details.context.code, 1009);
    } else {
      assert.equal(reason, "transport error");
      assert.equal(details.context.status, 413);
    }
  },
  closes: async () => {
    const closed = next(socket, "close");
    socket.close();
    assert.equal((await closed)[0], "forced close");
  },
});
