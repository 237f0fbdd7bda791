// Every field of every event with values that are not for it: each is
// refused with BAD_REQUEST and the name of the field.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { UNLIMITED } from "../secrecy/server.mjs";
import { House } from "./house.mjs";
import { RawSocket } from "./raw.mjs";
import { EVENTS, wrongFields } from "./vocabulary.mjs";

/** A number that is none leaves no payload to find a field in. */
const IS_NO_JSON_NUMBER = /:-?1e999|:9{20}/;

let house;
before(async () => (house = await House.open(UNLIMITED)));
after(async () => house.close());

test("every wrong value of every field", async () => {
  assert.ok(EVENTS.size >= 37, `${EVENTS.size} events`);
  const outside = await RawSocket.connected(house.server);
  const auth = JSON.stringify({ sessionId: house.sessionId, playerName: "Mallory" });
  const inside = await RawSocket.connected(house.server, auth);
  await inside.saying((packet) => packet.startsWith('42["session:joined"'));
  let cases = 0;
  for (const { event, field, json } of wrongFields()) {
    for (const raw of [outside, inside]) {
      cases += 1;
      const { ok, error } = await raw.ask(`["${event}",${json}]`, cases);
      const what = `${event} ${json.slice(0, 200)}`;
      assert.equal(ok, false, what);
      assert.equal(error.code, "BAD_REQUEST", what);
      if (!IS_NO_JSON_NUMBER.test(json)) {
        assert.ok(error.field?.split(".")[0] === field, `${what}: ${error.field}`);
      }
      assert.ok(error.message.length < 300, what);
    }
    if (cases % 200 === 0) await house.playOn();
  }
  console.log(`fields: ${JSON.stringify({ events: EVENTS.size, cases })}`);
  outside.close();
  inside.close();
});
