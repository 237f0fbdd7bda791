// A session with its people, over one transport.

import { after, describe, it } from "node:test";
import assert from "node:assert/strict";

import { Client, TRANSPORTS } from "./client.mjs";
import { startServer } from "./server.mjs";

export class Table {
  clients = [];

  constructor(server, transport) {
    this.server = server;
    this.transport = transport;
  }

  /** A client that is connected and nothing more. */
  async stranger(options) {
    const client = this.client(options);
    await client.connected();
    return client;
  }

  /** A client that may still be connecting. */
  client(options) {
    const client = new Client(this.server.url, this.transport, options);
    this.clients.push(client);
    return client;
  }

  /** Opens the session; the client is its host. */
  async open({ settings, deck, password, playerName = "Hanna", name = "Planning", avatar } = {}) {
    const host = this.client();
    const ack = await host.do("session:create", { name, playerName, avatar, deck, settings, password });
    await host.next("session:joined");
    this.host = host;
    this.id = ack.sessionId;
    this.code = ack.code;
    this.story = ack.currentStory.id;
    return host;
  }

  /** Somebody new; the others have been told when this resolves. */
  async join(playerName, more = {}, options = {}) {
    const client = this.client(options);
    await client.do("session:join", { sessionId: this.id, playerName, ...more });
    await client.next("session:joined");
    return client;
  }

  /** Another socket of the same seat. */
  async tab(of) {
    const client = this.client();
    await client.do("session:join", { sessionId: this.id, playerToken: of.joined.playerToken });
    await client.next("session:joined");
    return client;
  }

  /** The current story, for a vote. */
  vote(value, more = {}) {
    return { storyId: this.story, value, ...more };
  }

  /** Everything said so far has arrived, and what was not asked for is forgotten. */
  async quiet(...clients) {
    for (const client of clients.length ? clients : this.clients.filter((one) => one.lastSeq !== null)) {
      await client.settle();
      client.unread();
    }
  }

  /** Ends all; fails if any client heard a gap or could not keep up. */
  async close({ check = true } = {}) {
    try {
      for (const client of this.clients.filter((one) => check && one.socket.connected && one.lastSeq !== null)) {
        await client.settle();
      }
    } finally {
      for (const client of this.clients) client.close();
    }
    for (const client of this.clients) assert.deepEqual(client.problems, []);
  }
}

/** A server for the tests of the file that calls this. */
export async function serve(settings) {
  const server = await startServer(settings);
  after(() => server.stop());
  return server;
}

/** Tells a story over each transport; `options` are those of `it`. */
export function story(server, title, tell, options = {}) {
  describe(title, { concurrency: true }, () => {
    for (const transport of Object.keys(TRANSPORTS)) {
      it(`over ${transport}`, options, async () => {
        const table = new Table(server, transport);
        let check = false;
        try {
          await tell(table);
          check = true;
        } finally {
          await table.close({ check });
        }
      });
    }
  });
}
