// The unmodified client at a door that does not let it in: it backs off, tries
// again, and is in as soon as there is room.

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { io } from "socket.io-client";

import { startServer } from "./support/server.mjs";

const TRANSPORTS = { websocket: ["websocket"], polling: ["polling"], both: ["polling", "websocket"] };
const IMPATIENT = { reconnectionDelay: 100, reconnectionDelayMax: 200 };

const server = await startServer({ "limits.connections_per_address_max": 1 });
after(() => server.stop());

function connect(transports) {
  return io(server.url, { forceNew: true, transports, ...IMPATIENT });
}

for (const [name, transports] of Object.entries(TRANSPORTS)) {
  test(`who is refused over ${name} comes in when another leaves`, async () => {
    const first = connect(transports);
    await once(first, "connect");
    const second = connect(transports);
    let refusals = 0;
    second.on("connect_error", () => refusals++);
    while (refusals < 3) await pause(20);
    assert.equal(second.connected, false);
    assert.equal(second.active, true, "it goes on trying");
    assert.equal(first.connected, true, "and nobody is put out for it");

    const inside = once(second, "connect");
    first.disconnect();
    await inside;
    second.disconnect();
    // The next test begins with an empty house.
    await pause(300);
  });
}

test("any page may read when to come back", async () => {
  const first = connect(["websocket"]);
  await once(first, "connect");
  const answer = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, { headers: { Origin: "http://localhost:5173" } });
  assert.equal(answer.status, 503);
  assert.match(answer.headers.get("retry-after"), /^\d+$/);
  assert.equal(answer.headers.get("access-control-allow-origin"), "http://localhost:5173");
  assert.equal(answer.headers.get("access-control-expose-headers"), "Retry-After");
  first.disconnect();
});
