// A server that is told to end: everybody hears it, and comes back elsewhere.

import assert from "node:assert/strict";
import { it } from "node:test";

import { TRANSPORTS } from "./support/client.mjs";
import { PROMPT, UNLIMITED, startServer } from "./support/server.mjs";
import { Table } from "./support/table.mjs";

for (const transport of Object.keys(TRANSPORTS)) {
  it(`says goodbye over ${transport}, and ends cleanly`, async () => {
    const server = await startServer({ ...UNLIMITED, ...PROMPT, "server.drain_seconds": 5 });
    const table = new Table(server, transport);
    try {
      const host = await table.open();
      const ann = await table.join("Ann");
      await ann.do("vote:submit", table.vote("5"));
      const ending = server.stop();
      for (const one of [host, ann]) {
        const goodbye = await one.next("connection:error");
        assert.equal(goodbye.code, "SERVER_SHUTDOWN");
        assert.ok(goodbye.retryAfter >= 0 && goodbye.retryAfter <= 5, `retryAfter ${goodbye.retryAfter}`);
        // Not "io server disconnect", after which a client stays away.
        assert.match((await one.next("(disconnect)")).reason, /^transport (close|error)$/);
      }
      assert.deepEqual(await ending, { code: 0, signal: null });
    } finally {
      await table.close({ check: false });
      await server.stop();
    }
  });
}
