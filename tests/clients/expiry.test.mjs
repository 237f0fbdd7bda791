// The end of a session that nobody touches. The shortest life that can be
// configured is five minutes, so this runs only where SLOW_TESTS is set;
// the rule itself is told in virtual time in tests/rules/session.rs.

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";

import { TRANSPORTS } from "./support/client.mjs";
import { PROMPT, UNLIMITED, startServer } from "./support/server.mjs";
import { Table } from "./support/table.mjs";

const LIFE_MS = 300_000;
const skip = process.env.SLOW_TESTS ? false : "takes five minutes; set SLOW_TESTS=1";

describe("a session expires", { concurrency: true }, async () => {
  const server = skip ? null : await startServer({ ...UNLIMITED, ...PROMPT, "session.ttl_ms": LIFE_MS, "session.expiry_notice_ms": 60_000 });
  after(() => server?.stop());
  for (const transport of Object.keys(TRANSPORTS)) {
    it(`over ${transport}`, { timeout: LIFE_MS + 30_000, skip }, async () => {
      const table = new Table(server, transport);
      try {
        const host = await table.open();
        const ann = await table.join("Ann");
        await ann.do("vote:submit", table.vote("5"));
        const { expiresAt } = await ann.settle();
        const expiring = await ann.next("session:expiring", undefined, LIFE_MS);
        assert.equal(expiring.expiresAt, expiresAt);
        for (const one of [host, ann]) {
          const ended = await one.next("session:ended", undefined, LIFE_MS);
          assert.deepEqual([ended.reason, ended.by, ended.exportUrl], ["expired", null, undefined]);
          assert.equal((await one.next("(disconnect)")).reason, "io server disconnect");
        }
        const late = await table.stranger();
        await late.refused("SESSION_EXPIRED", "session:join", { sessionId: table.id, playerName: "Late" });
      } finally {
        await table.close({ check: false });
      }
    });
  }
});
