// People at a table of the real server, over each transport.

import { after, describe, it } from "node:test";
import assert from "node:assert/strict";

import { Table } from "cardroom-client";

import { startServer, UNLIMITED, PROMPT } from "../../../../tests/clients/support/server.mjs";
import { startProxy } from "./proxy.mjs";

export const TRANSPORTS = { websocket: ["websocket"], polling: ["polling"] };

const WAIT_MS = 30_000;

/** A server for the tests of the file that calls this, and a proxy before it. */
export async function serve(settings = {}) {
  const server = await startServer({ ...UNLIMITED, ...PROMPT, ...settings });
  after(() => server.stop());
  return server;
}

/** Tells a story over each transport. */
export function story(server, title, tell, options = {}) {
  describe(title, { concurrency: true }, () => {
    for (const [name, transports] of Object.entries(TRANSPORTS)) {
      it(`over ${name}`, options, async () => {
        const room = new Room(server.url, transports);
        try {
          await tell(room);
        } finally {
          await room.close();
        }
      });
    }
  });
}

export class Room {
  #ends = [];

  constructor(url, transports) {
    this.url = url;
    this.transports = transports;
  }

  /** A table nobody sits at yet. */
  table({ url = this.url, storage = "memory", ...options } = {}) {
    const table = new Table(url, { storage, transports: this.transports, ...options });
    this.#ends.push(() => table.close());
    return table;
  }

  async open(options = {}, tableOptions) {
    const host = this.table(tableOptions);
    await host.create({ name: "Planning", playerName: "Hanna", ...options });
    this.id = host.state.sessionId;
    this.code = host.state.code;
    return host;
  }

  async join(name, options = {}, tableOptions) {
    const table = this.table(tableOptions);
    await table.join({ sessionId: this.id, name, ...options });
    return table;
  }

  async proxy() {
    const proxy = await startProxy(this.url);
    this.#ends.push(() => proxy.close());
    return proxy;
  }

  async close() {
    for (const end of this.#ends.reverse()) await end();
  }
}

/** Resolves once it holds; looks at every change. */
export function until(table, holds, what = String(holds)) {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (!holds(table)) return;
      clearTimeout(late);
      stop();
      resolve();
    };
    const late = setTimeout(() => {
      stop();
      const { connection, state } = table;
      reject(new Error(`never came true: ${what}\n${JSON.stringify({ connection, seq: state?.seq, round: state?.round })}`));
    }, WAIT_MS);
    const stop = table.subscribe(look);
    look();
  });
}

/** What the client made of the events is what the server says. */
export async function agrees(room, table) {
  const fresh = room.table();
  await fresh.join({ sessionId: room.id, token: table.token });
  await until(table, () => fresh.state.seq <= table.state.seq);
  await until(fresh, () => table.state.seq <= fresh.state.seq);
  assert.deepEqual(plain(table.state), plain(fresh.state));
  fresh.close();
}

function plain(state) {
  const { timer, players, me, ended, expiresAt, stories, currentStory, ...rest } = JSON.parse(JSON.stringify(state));
  // Presence is told after a moment, the rest of a timer depends on when one looks.
  const person = ({ lastSeenAt, isOnline, isAway, ...who }) => who;
  const tale = ({ updatedAt, ...story }) => story;
  return {
    ...rest,
    me: person(me),
    players: players.map(person),
    stories: stories.map(tale),
    currentStory: tale(currentStory),
    timer: { status: timer.status, duration: timer.duration, endsAt: timer.endsAt, onExpire: timer.onExpire },
  };
}

export async function refusal(code, promise) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.name, "CardroomError");
    assert.equal(error.code, code, error.message);
    return true;
  });
}
