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

/** `reliability.md` §4.2, memory per connection. */
test("a storm is turned away before memory runs out, and who is here plays on", { skip: process.platform !== "linux" }, async () => {
  const token = "token-of-the-scraper";
  const roomy = {
    "metrics.token": token,
    "limits.connections_per_address_max": 1_000_000,
    "limits.handshakes_per_second_max": 1_000_000,
    "limits.handshakes_per_address_per_second_max": 1_000_000,
  };
  const used = async (url) => {
    const page = await (await fetch(`${url}/metrics`, { headers: { Authorization: `Bearer ${token}` } })).text();
    return Number(/^process_resident_memory_bytes (\d+)/m.exec(page)[1]);
  };
  const probe = await startServer(roomy);
  const before = await used(probe.url);
  await probe.stop();

  const MIB = 1 << 20;
  const bytesMax = before + 8 * MIB;
  const small = await startServer({ ...roomy, "server.memory_bytes_max": bytesMax });
  const good = io(small.url, { forceNew: true, transports: ["websocket"] });
  try {
    await once(good, "connect");
    assert.equal((await good.timeout(20_000).emitWithAck("session:create", { name: "Sprint", playerName: "Ann" })).ok, true);
    let opened = 0;
    let refused = 0;
    const storm = async () => {
      while (refused < 200 && opened < 60_000) {
        const answer = await fetch(`${small.url}/socket.io/?EIO=4&transport=polling`);
        await answer.text();
        if (answer.status === 200) opened++;
        else if (answer.status === 503) refused++;
      }
    };
    await Promise.all(Array.from({ length: 16 }, storm));
    assert.ok(200 <= refused, `${opened} were let in and ${refused} refused`);
    // What a second of the storm brought before it was looked at again.
    assert.ok((await used(small.url)) < bytesMax + 32 * MIB, `${await used(small.url)} of ${bytesMax}`);
    const asked = performance.now();
    assert.equal((await good.timeout(20_000).emitWithAck("session:sync", {})).ok, true);
    assert.ok(performance.now() - asked < 10_000);
    assert.equal(good.connected, true);
    assert.equal((await fetch(`${small.url}/readyz`)).status, 200);
  } finally {
    good.disconnect();
    await small.stop();
  }
});
