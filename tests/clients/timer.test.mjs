// The clock on the wall.

import assert from "node:assert/strict";

import { PROMPT, UNLIMITED } from "./support/server.mjs";
import { serve, story } from "./support/table.mjs";

const server = await serve({ ...UNLIMITED, ...PROMPT });

story(server, "start, pause, resume, extend, stop", async (table) => {
  const host = await table.open({ settings: { timerSeconds: 90 } });
  const ann = await table.join("Ann");
  const said = async () => (await ann.next("timer:updated")).timer;

  await host.do("timer:start");
  const started = await said();
  assert.deepEqual(
    [started.isRunning, started.status, started.duration, started.remainingTime, started.onExpire, started.startedBy],
    [true, "running", 90, 90, "none", host.id],
  );
  assert.equal(started.endsAt, Date.parse(started.startedAt) + 90_000);
  await host.refused("TIMER_NOT_PAUSED", "timer:resume");

  await host.do("timer:start", { duration: 300 });
  assert.equal((await said()).duration, 300);
  await host.do("timer:pause");
  const paused = await said();
  assert.deepEqual([paused.isRunning, paused.status, paused.endsAt], [false, "paused", null]);
  assert.ok(paused.remainingMs <= 300_000);
  await host.refused("TIMER_NOT_RUNNING", "timer:pause");
  // Somebody who comes now sees it paused.
  const bob = await table.join("Bob");
  assert.deepEqual([bob.joined.timer.status, bob.joined.timer.remainingMs], ["paused", paused.remainingMs]);

  await host.do("timer:extend", { seconds: 60 });
  const longer = await said();
  assert.deepEqual([longer.duration, longer.remainingMs], [360, paused.remainingMs + 60_000]);
  await host.do("timer:resume");
  const resumed = await said();
  assert.equal(resumed.endsAt, resumed.serverTime + longer.remainingMs);
  await host.do("timer:extend", { seconds: -120 });
  assert.equal((await said()).endsAt, resumed.endsAt - 120_000);
  assert.equal((await host.refused("BAD_REQUEST", "timer:extend", { seconds: 601 })).field, "seconds");

  await host.do("timer:stop");
  const stopped = await said();
  assert.deepEqual([stopped.status, stopped.isRunning, stopped.remainingTime, stopped.endsAt], ["idle", false, 0, null]);
  await host.do("timer:stop");
  await host.refused("TIMER_NOT_RUNNING", "timer:extend", { seconds: 5 });
  assert.deepEqual((await ann.news()), ["player:joined"]);
  await ann.refused("FORBIDDEN", "timer:start");
});

story(server, "it expires, and extends to a new start", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await ann.do("vote:submit", table.vote("5"));
  await host.do("timer:start", { duration: 1 });
  const expired = await ann.next("timer:updated", ({ timer }) => timer.status === "expired");
  const started = ann.heard("timer:updated")[0].timer;
  assert.deepEqual([expired.timer.remainingTime, expired.timer.isRunning, expired.timer.endsAt], [0, false, started.endsAt]);
  assert.equal((await ann.settle()).round.phase, "voting");
  const late = await table.join("Late");
  assert.deepEqual([late.joined.timer.status, late.joined.timer.remainingMs], ["expired", 0]);

  await host.do("timer:extend", { seconds: 30 });
  const again = await ann.next("timer:updated", ({ timer }) => timer.duration === 30);
  assert.equal(again.timer.status, "running");
});

story(server, "its end reveals", async (table) => {
  const host = await table.open();
  const ann = await table.join("Ann");
  await ann.do("vote:submit", table.vote("5"));
  await table.quiet();
  await host.do("timer:start", { duration: 1, onExpire: "reveal" });
  const shown = await ann.next("cards:revealed");
  const [, ended] = ann.heard("timer:updated").map(({ timer }) => timer);
  assert.deepEqual([ended.status, ended.onExpire], ["expired", "reveal"]);
  assert.deepEqual([shown.reason, shown.revealedBy, Date.parse(shown.revealedAt)], ["timer", null, ended.endsAt]);
  assert.deepEqual(await host.news(), ["timer:updated", "timer:updated", "cards:revealed"]);
});

story(server, "its end reveals nothing where nobody voted", async (table) => {
  const host = await table.open({ settings: { timerOnExpire: "reveal" } });
  await table.quiet();
  await host.do("timer:start", { duration: 1 });
  await host.next("timer:updated", ({ timer }) => timer.status === "expired");
  assert.equal((await host.settle()).round.phase, "voting");
  assert.deepEqual(host.heard("cards:revealed"), []);
});

story(server, "reveal, reset and another story stop it", async (table) => {
  const host = await table.open();
  const other = await host.do("story:create", { title: "Other" });
  await host.do("vote:submit", table.vote("5"));
  await host.do("timer:start");
  await table.quiet();
  await host.do("cards:reveal");
  assert.deepEqual(await host.news(), ["cards:revealed", "timer:updated"]);
  assert.equal(host.heard("timer:updated").at(-1).timer.status, "idle");
  await host.do("timer:start");
  await host.do("game:reset");
  assert.equal((await host.next("game:reset")).timer.status, "idle");
  await host.do("timer:start");
  await host.do("story:activate", { storyId: other.storyId });
  assert.equal((await host.next("story:activated")).timer.status, "idle");

  await host.do("session:configure", { timerAutoStart: true, timerSeconds: 45 });
  await host.do("story:activate", { storyId: table.story });
  const { timer } = await host.next("story:activated");
  assert.deepEqual([timer.status, timer.duration, timer.startedBy], ["running", 45, undefined]);
});

story(server, "a heartbeat tells the server's time", async (table) => {
  const host = await table.open();
  const ack = await host.do("heartbeat", { timestamp: 1234 });
  assert.equal(ack.timestamp, 1234);
  assert.ok(Math.abs(ack.serverTime - Date.now()) < 60_000);
  assert.deepEqual(await host.next("heartbeat:response"), { timestamp: 1234, serverTime: ack.serverTime });
});
