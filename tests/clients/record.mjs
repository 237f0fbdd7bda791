// Writes the seeds of `fuzz/corpus`: what unmodified clients, the emitter and the
// server itself put on the wire and into Redis while a session is played.
//
//   cargo build && node record.mjs ../../fuzz/corpus

import { createHash } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import path from "node:path";

import { Emitter } from "@socket.io/redis-emitter";
import { Redis } from "ioredis";

import { Client } from "./support/client.mjs";
import { startRedis } from "./support/redis.mjs";
import { startServer, UNLIMITED } from "./support/server.mjs";

/** Longer ones are cut, or left out where half of one is nothing. */
const SEED_BYTES_MAX = 1_024;
/** Of one target. */
const SEEDS_MAX = 60;

const [corpus] = process.argv.slice(2);
const counts = {};

function seed(target, bytes) {
  const content = Buffer.from(bytes);
  counts[target] ??= 0;
  if (content.length === 0 || SEED_BYTES_MAX < content.length || SEEDS_MAX <= counts[target]) return;
  const folder = path.join(corpus, target);
  const file = path.join(folder, createHash("sha1").update(content).digest("hex").slice(0, 16));
  if (fs.existsSync(file)) return;
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(file, content);
  counts[target] += 1;
}

/** Passes bytes on, and hands over all that each client has said. */
async function tap(url, heard) {
  const { port } = new URL(url);
  const listener = net.createServer((near) => {
    const far = net.connect(port, "127.0.0.1");
    const said = [];
    near.on("data", (chunk) => said.push(chunk));
    near.pipe(far).pipe(near);
    near.on("error", () => far.destroy());
    far.on("error", () => near.destroy());
    near.on("close", () => heard(Buffer.concat(said)));
  });
  await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${listener.address().port}`, close: () => listener.close() };
}

/** Requests, and behind an upgrade frames. */
function heard(bytes) {
  let rest = bytes.toString("latin1");
  for (;;) {
    const end = rest.indexOf("\r\n\r\n");
    if (end < 0) return;
    const [request, ...headers] = rest.slice(0, end).split("\r\n");
    rest = rest.slice(end + 4);
    const target = request.split(" ")[1];
    seed("handshake", `${target.split("?")[1] ?? ""}\n{"playerName":"Ann","pid":"AAAAAAAAAAAAAAAAAAAA","offset":"1f-9a0c.1-7"}`);
    seed("relay", `${target}\n127.0.0.1:5 AAAA\n${headers.join("\n")}`);
    if (/^upgrade: websocket/im.test(headers.join("\n"))) {
      seed("websocket_frames", Buffer.from(`\0${rest.slice(0, SEED_BYTES_MAX - 1)}`, "latin1"));
      return;
    }
    const length = Number(/^content-length: (\d+)/im.exec(headers.join("\n"))?.[1] ?? 0);
    const body = Buffer.from(rest.slice(0, length), "latin1");
    rest = rest.slice(length);
    seed("polling_payload", body);
    seed("socketio_session", Buffer.concat([Buffer.from("40{}\x1e"), body]));
  }
}

const redis = await startRedis();
const server = await startServer({ ...UNLIMITED, "redis.url": redis.url });
const near = await tap(server.url, heard);

// Events by their place in the table of client_event.rs.
const names = [...fs.readFileSync("../../src/api/client_event.rs", "utf8").matchAll(/^    \w+\(.*\) "([\w:-]+)" \d+ =>/gm)]
  .map(([, name]) => name);

class Recorded extends Client {
  ask(event, ...payload) {
    const place = Buffer.from([names.indexOf(event)]);
    seed("client_event", Buffer.concat([place, Buffer.from(JSON.stringify(payload))]));
    return super.ask(event, ...payload);
  }
}

for (const transport of ["polling", "websocket", "upgrade"]) {
  const host = new Recorded(near.url, transport);
  await host.connected();
  const opened = await host.ask("session:create", { name: "Sprint 12", playerName: "Ann", deck: "fibonacci",
    settings: { autoReveal: true, permissions: { reveal: "everyone" } } });
  const { sessionId } = opened;
  const guest = new Recorded(near.url, transport, { auth: { sessionId, playerName: "Bob" } });
  await guest.connected();
  await guest.ask("session:join", { sessionId, playerName: "Bob", playerId: "00000000-0000-4000-8000-000000000000" });
  const plays = [
    [host, "story:update", { title: "Login", description: "As a guest", key: "A-1", link: "https://example.org/1" }],
    [host, "story:create", { title: "Logout", clientRef: "x1" }],
    [host, "story:import", { format: "csv", data: "Key,Title\nA-2,\"One, or two\"\n" }],
    [host, "vote:submit", { storyId: "s1", value: "5", confidence: 3 }],
    [guest, "vote:submit", { storyId: "s1", value: "?" }],
    [guest, "vote:change", { storyId: "s1", value: "8", requestId: "r-1" }],
    [guest, "vote:retract", { storyId: "s1" }], [guest, "vote:submit", { storyId: "s1", value: "8" }],
    [host, "cards:reveal", {}], [host, "story:finalize", { storyId: "s1", value: "8" }], [host, "game:reset", { newStory: { title: "Next" } }],
    [host, "round:restore", { roundId: "r1" }], [host, "story:activate", { storyId: "s2" }], [host, "story:reorder", { storyId: "s2" }],
    [host, "story:delete", { storyId: "s3" }], [host, "timer:start", { duration: 60, onExpire: "reveal" }], [host, "timer:pause", {}],
    [host, "timer:resume", {}], [host, "timer:extend", { seconds: 30 }], [host, "timer:stop", {}], [guest, "player:update", { name: "Böb", avatar: "🦊" }],
    [host, "player:promote", { playerId: guest.joined?.player.id }], [host, "session:lock", { locked: true }], [guest, "reaction:send", { emoji: "🎉" }],
    [host, "session:configure", { deck: { name: "Ours", cards: ["1", "2", { value: "L", weight: 8 }] }, force: true, timerSeconds: 90 }],
    [guest, "presence:set", { away: true }], [host, "player:nudge", {}], [guest, "session:sync", { lastSeq: 3 }],
    [guest, "history:get", {}], [guest, "heartbeat", { timestamp: 1_700_000_000_000 }],
  ];
  for (const [client, event, payload] of plays) await client.ask(event, payload);
  const last = Date.now() + 1_000;
  while (Date.now() < last) await new Promise((resolve) => setTimeout(resolve, 100));
  for (const client of [guest, host]) client.socket.disconnect();
}

// What lies in Redis: entries, snapshots, what the emitter says.
const reader = new Redis(redis.url);
for (const key of await reader.keys("*session:*")) {
  if (key.endsWith(":log")) {
    for (const [, fields] of await reader.xrangeBuffer(key, "-", "+")) {
      fields.forEach((field, at) => { if (String(field) === "e") seed("log_entry", fields[at + 1]); });
    }
  }
  if (key.endsWith(":snapshot")) seed("snapshot", await reader.getBuffer(key));
}
const publish = { publish: (_channel, message) => seed("emission", message) };
const io = new Emitter(publish);
io.to("session:x").except("y").volatile.emit("announcement", "tea", { minutes: 5, list: [1.5, -2, "ü", null] }, new Date(1_700_000_000_123));
io.emit("hello", true, [[[1]]], 2 ** 40, "x".repeat(300));

// Bodies and lists, which the table above has in parts.
[{ name: "Sprint 12", deck: "tshirt", password: "secret", playerName: "Ann" }, { sessionId: "ABCDEFGH", playerToken: "cr1.a.b.c" },
  { playerName: "Bob", isSpectator: true, protocol: 1 }, { title: "Login", afterId: "s1" }]
  .forEach((body, which) => seed("rest_body", Buffer.concat([Buffer.from([which]), Buffer.from(JSON.stringify(body))])));
["One\nTwo\n", "title,key\n\"One, or two\",A-1\nTwo,\n", JSON.stringify(["One", { title: "Two", key: "K", link: "https://example.org" }, 3])]
  .forEach((data, format) => seed("story_import", Buffer.concat([Buffer.from([format]), Buffer.from(data)])));
["\0cr1.a.AA.BB", "\x01\x05\x00", "\x02".padEnd(47, "\x01"), "\x03cr1.b.AA"].forEach((token) => seed("player_token", token));
["\x00\x00\x05\x07\x06\x08\x07\x00\x05\x31\x01", "\x01\x0e\xff\x0f\xff\x0f\xff"].forEach((life) => seed("engine", Buffer.from(life, "latin1")));

reader.disconnect();
near.close();
await server.stop();
await redis.stop();
console.log(counts);
