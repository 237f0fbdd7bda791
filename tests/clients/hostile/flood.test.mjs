// Too much of what is allowed: the limits of the server as it is delivered.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { House } from "./house.mjs";
import { RawSocket, http } from "./raw.mjs";

const REJECTED_MAX = 200;
const VOTES_PER_MINUTE = 10;

let house;
before(async () => (house = await House.open({
  // The bystanders vote more often than people do.
  "rate_limits.vote:submit": VOTES_PER_MINUTE * 10,
})));
after(() => house.close());

async function joined(playerName) {
  const auth = JSON.stringify({ sessionId: house.sessionId, playerName });
  const raw = await RawSocket.connected(house.server, auth);
  await raw.saying((packet) => packet.startsWith('42["session:joined"'));
  return raw;
}

/** The connection was told why it ends, and ended. */
async function isThrownOut(raw) {
  await raw.saying((packet) => packet.includes('"connection:error"') && packet.includes("RATE_LIMITED"));
  assert.equal(await raw.ended(), 1005);
}

describe("floods", () => {
  it("an event beyond its limit is refused with rate:limit, then the connection ends", async () => {
    const raw = await joined("Flooder");
    const begun = Date.now();
    const beats = 30 + REJECTED_MAX + 1;
    for (let id = 0; id < beats; id += 1) raw.send(`42${id}["heartbeat",{"timestamp":${id}}]`);
    await raw.saying((packet) => packet.startsWith('4329[{"ok":true'));
    const refused = await raw.saying((packet) => packet.startsWith('4330[{"ok":false'));
    assert.match(refused, /"code":"RATE_LIMITED".*"retryAfter":\d+/);
    const told = await raw.saying((packet) => packet.startsWith('42["rate:limit"'));
    assert.deepEqual(Object.keys(JSON.parse(told.slice(2))[1]),
      ["event", "retryAfter", "limit", "windowSeconds"]);
    await isThrownOut(raw);
    const again = raw.received.filter((packet) => packet.startsWith('42["rate:limit"')).length;
    assert.ok(again <= (Date.now() - begun) / 1_000, `told ${again + 1} times, once in a second`);
    const accepted = raw.received.filter((packet) => /^43\d+\[\{"ok":true/.test(packet)).length;
    assert.equal(accepted, 29, "no more than the limit, and one that was looked at");
    await house.playOn();
  });

  for (const [what, json] of Object.entries({
    "unknown events": '["vote:steal",{}]',
    "events that cannot be read": '["vote:submit",{"storyId":5}]',
    "events without a join": '["cards:reveal",{}]',
  })) {
    it(`${what}: ${REJECTED_MAX} are answered, one more ends the connection`, async () => {
      const raw = await RawSocket.connected(house.server);
      for (let id = 0; id < REJECTED_MAX; id += 1) raw.send(`42${id}${json}`);
      await raw.saying((packet) => packet.startsWith(`43${REJECTED_MAX - 1}[`));
      raw.send(`42${json}`);
      await isThrownOut(raw);
      await house.playOn();
    });
  }

  it("a rate limit follows the seat to its next connection", async () => {
    const raw = await joined("Persistent");
    for (let n = 0; n < 5; n += 1) assert.ok((await raw.ask(`["player:update",{"name":"P${n}"}]`)).ok);
    assert.equal((await raw.ask('["player:update",{"name":"P5"}]')).error.code, "RATE_LIMITED");
    const sync = await raw.ask('["session:join",{"sessionId":"' + house.sessionId + '"}]');
    const auth = JSON.stringify({ sessionId: house.sessionId, playerToken: sync.playerToken });
    const again = await RawSocket.connected(house.server, auth);
    await again.saying((packet) => packet.startsWith('42["session:joined"'));
    raw.close();
    assert.equal((await again.ask('["player:update",{"name":"P6"}]')).error.code, "RATE_LIMITED");
    again.close();
    await house.playOn();
  });

  it("guessing of codes is stopped", async () => {
    let answer;
    for (let n = 0; n < 25; n += 1) {
      answer = await http(house.server, `/api/v1/sessions/ABCDEF${10 + n}`);
    }
    assert.equal(answer.status, 429);
    assert.ok(Number(answer.headers["retry-after"]) > 0);
    const raw = await RawSocket.connected(house.server);
    const { error } = await raw.ask('["session:join",{"sessionId":"ABCDEFGH","playerName":"M"}]');
    assert.equal(error.code, "RATE_LIMITED", "and answered");
    const told = await raw.saying((packet) => packet.startsWith('42["rate:limit"'));
    assert.deepEqual(JSON.parse(told.slice(2))[1].event, "session:join");
    raw.close();
    await house.playOn();
  });
});
