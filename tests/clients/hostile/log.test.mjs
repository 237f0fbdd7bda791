// The server outlives whoever reads its log.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Server } from "../secrecy/server.mjs";
import { RawSocket, http } from "./raw.mjs";

for (const format of ["text", "json"]) {
  test(`a log of ${format} that nobody reads any more costs nobody anything`, async () => {
    const server = await Server.start({ "log.format": format });
    server.closeLog();
    // Each of these writes lines.
    const host = await RawSocket.connected(server);
    assert.ok((await host.ask('["session:create",{"name":"N","playerName":"P"}]')).ok);
    const other = await RawSocket.connected(server);
    other.send("9");
    await other.ended();
    assert.ok(await host.isAlive());
    assert.equal((await http(server, "/healthz")).status, 200);
    host.close();
    assert.equal(await server.stop(), "", "SIGTERM is obeyed");
  });
}
