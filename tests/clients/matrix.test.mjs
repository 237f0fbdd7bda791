// Runs the matrix: every client event × every outcome; prints it at the end.

import { after, describe, it } from "node:test";
import assert from "node:assert/strict";

import { CODES, EVENTS, NOT_HERE, cases } from "./matrix.mjs";
import { LIMITS, PROMPT, UNLIMITED } from "./support/server.mjs";
import { Table, serve } from "./support/table.mjs";

const STORIES_MAX = 4;
const open = await serve({ ...UNLIMITED, ...PROMPT, "limits.stories_per_session_max": STORIES_MAX });
const limited = await serve({
  ...PROMPT,
  "rate_limits.session:create": 100_000,
  "limits.sessions_per_address_hour_max": 100_000,
});
// Whoever leaves has joined before, more often than a seat may.
const welcoming = await serve({ ...PROMPT, "rate_limits.session:join": 100_000 });
const strict = await serve({ ...PROMPT, "limits.failed_joins_max": 3 });
const small = await serve({ ...UNLIMITED, "limits.sessions_max": 1, "limits.rejected_events_max": 5 });

/** event → outcome → cases passed; 0: there is a case, and it failed. */
const passed = new Map(Object.keys(LIMITS).map((event) => [event, new Map([["RATE_LIMITED", 0]])]));
for (const { event, is } of cases()) passed.get(event).set(is, 0);
const pass = (event, outcome) => {
  if (!passed.has(event)) passed.set(event, new Map());
  passed.get(event).set(outcome, (passed.get(event).get(outcome) ?? 0) + 1);
};

const TRANSPORTS = ["websocket", "polling", "upgrade"];

/** A table with Hanna, Ann and somebody who has not joined. */
async function seated(server, transport, run) {
  const table = new Table(server, transport);
  let check = false;
  try {
    table.storiesMax = STORIES_MAX;
    await table.open();
    table.ann = await table.join("Ann");
    table.outside = await table.stranger();
    await run(table);
    check = true;
  } finally {
    await table.close({ check });
  }
}

async function play(table, one) {
  const { event, is } = one;
  await one.given?.(table);
  const by = table[one.by];
  const payload = await one.payload(table);
  const observer = table.ann.lastSeq === null ? null : table.ann;
  const quiet = async () => {
    if (!observer) return;
    await observer.settle();
    observer.unread();
  };
  await quiet();
  const seq = observer?.lastSeq;
  const news = async (expected) => {
    if (!observer?.socket.connected) return;
    // Away is told after a moment, even one of no length.
    if (expected.includes("player:status_changed")) await observer.next("player:status_changed").then(() => (expected = []));
    const got = (await observer.news()).filter((name) => name !== "session:joined" && name !== "session:error");
    assert.deepEqual(got, expected);
  };

  switch (is) {
    case "accepted": {
      const ack = await by.ask(event, payload);
      assert.equal(ack.ok, true, JSON.stringify(ack.error));
      await news(one.tells);
      return;
    }
    case "unchanged": {
      const ack = await by.ask(event, payload);
      assert.equal(ack.ok, true, JSON.stringify(ack.error));
      await news([]);
      assert.equal(observer?.lastSeq, seq);
      return;
    }
    case "replayed": {
      const named = { ...payload, requestId: "once" };
      const first = await by.do(event, named);
      await news(one.tells);
      const again = await by.ask(event, named);
      assert.deepEqual(again, { ...first, seq: again.seq });
      await news([]);
      return;
    }
    case "told": {
      by.tell(event, payload);
      const error = await by.next("session:error");
      assert.deepEqual([error.code, error.event, error.field], ["BAD_REQUEST", event, one.field]);
      assert.ok(error.error.length > 0);
      await news([]);
      return;
    }
    default: {
      const error = await by.refused(is, event, payload);
      if (one.field) assert.equal(error.field, one.field, error.message);
      if (is === "BAD_REQUEST" && one.why) assert.equal(error.field, undefined);
      if (one.details) assert.deepEqual(error.details, one.details(table));
      await news([]);
    }
  }
}

describe("the matrix", () => {
  it("has every event and every code of the catalogue", () => {
    assert.deepEqual(Object.keys(EVENTS).sort(), Object.keys(LIMITS).sort());
    const produced = new Set([...cases().map(({ is }) => is), "RATE_LIMITED", "UNKNOWN_EVENT", "SERVER_BUSY"]);
    assert.deepEqual(CODES.filter((code) => !produced.has(code)), Object.keys(NOT_HERE));
  });
});

describe("every event in every outcome", { concurrency: 6 }, () => {
  for (const [index, one] of cases().entries()) {
    const transport = TRANSPORTS[index % TRANSPORTS.length];
    const title = [one.event, one.is, one.field ?? one.why, `(${transport})`].filter(Boolean).join(" ");
    it(title, async () => {
      await seated(open, transport, (table) => play(table, one));
      pass(one.event, one.is);
    });
  }
});

describe("rate limits, as the catalogue has them", { concurrency: 4 }, () => {
  const AT_ONCE = 8;

  /** One more than the limit: all but the last are attempts that count. */
  async function exceed(client, event, payload, limit) {
    const answers = [];
    while (answers.length <= limit) {
      const some = Math.min(AT_ONCE, limit + 1 - answers.length);
      answers.push(...(await Promise.all(Array.from({ length: some }, () => client.ask(event, payload)))));
    }
    const codes = answers.map((answer) => answer.error?.code ?? "ok");
    assert.equal(codes.findIndex((code) => code === "RATE_LIMITED"), limit, `${codes}`);
    const { retryAfter } = answers[limit].error;
    assert.ok(1 <= retryAfter && retryAfter <= 60, `${retryAfter}`);
    const told = await client.next("rate:limit");
    assert.deepEqual(told, { event, retryAfter: told.retryAfter, limit, windowSeconds: 60 });
  }

  const harmless = {
    "session:join": (t) => ({ sessionId: t.id }),
    "session:configure": () => ({ anonymous: false }),
    "session:lock": () => ({ locked: false }),
    "player:update": () => ({ name: "Hanna" }),
    "player:remove": (t) => ({ playerId: t.host.id }),
    "player:set-spectator": (t) => ({ playerId: t.host.id, isSpectator: false }),
    "player:promote": (t) => ({ playerId: t.host.id }),
    "player:demote": (t) => ({ playerId: t.host.id }),
    "player:transfer": (t) => ({ playerId: t.host.id }),
    "presence:set": () => ({ away: false }),
    "reaction:send": () => ({ emoji: "👍" }),
    "vote:submit": (t) => t.vote("5"),
    "vote:change": (t) => t.vote("5"),
    "vote:retract": (t) => ({ storyId: t.story }),
    "round:restore": () => ({ roundId: 9 }),
    "story:update": () => ({ title: "x" }),
    "story:create": () => ({ title: "x" }),
    "story:import": () => ({ format: "lines", data: "" }),
    "story:delete": () => ({ storyId: "s99" }),
    "story:reorder": () => ({ storyId: "s99" }),
    "story:activate": () => ({ storyId: "s99" }),
    "story:finalize": (t) => ({ storyId: t.story, value: null }),
    "timer:extend": () => ({ seconds: 1 }),
    heartbeat: () => ({ timestamp: 1 }),
  };
  for (const [event, limit] of Object.entries(LIMITS)) {
    if (event === "session:create" || event === "session:leave") continue;
    it(event, async () => {
      const table = new Table(limited, "websocket");
      try {
        await table.open();
        await exceed(table.host, event, harmless[event]?.(table) ?? {}, limit);
      } finally {
        await table.close({ check: false });
      }
      pass(event, "RATE_LIMITED");
    });
  }

  it("session:leave, by a seat whose tabs leave one after the other", async () => {
    const table = new Table(welcoming, "websocket");
    try {
      await table.open();
      const limit = LIMITS["session:leave"];
      for (let count = 0; count < limit; count++) await (await table.tab(table.host)).do("session:leave");
      const last = await table.tab(table.host);
      await last.refused("RATE_LIMITED", "session:leave");
      assert.equal((await last.next("rate:limit")).limit, limit);
      pass("session:leave", "RATE_LIMITED");
    } finally {
      await table.close({ check: false });
    }
  });

  it("session:create, by an address", async () => {
    const table = new Table(strict, "websocket");
    try {
      for (let count = 0; count < LIMITS["session:create"]; count++) {
        await (await table.stranger()).do("session:create", { name: "S", playerName: "P" });
      }
      const last = await table.stranger();
      const error = await last.refused("RATE_LIMITED", "session:create", { name: "S", playerName: "P" });
      assert.ok(1 <= error.retryAfter && error.retryAfter <= 60);
      const told = await last.next("rate:limit");
      assert.deepEqual([told.event, told.limit], ["session:create", LIMITS["session:create"]]);
      pass("session:create", "RATE_LIMITED");

      // Codes are guessed by an address as well; each attempt is answered.
      const guess = { sessionId: "00000000", playerName: "Guess" };
      for (let count = 0; count < 3; count++) {
        await (await table.stranger()).refused("SESSION_NOT_FOUND", "session:join", guess);
      }
      const guesser = await table.stranger();
      await guesser.refused("RATE_LIMITED", "session:join", guess);
      const { event, limit, windowSeconds } = await guesser.next("rate:limit");
      assert.deepEqual([event, limit, windowSeconds], ["session:join", 3, 600]);
      const old = await table.stranger();
      old.tell("session:join", guess);
      assert.equal((await old.next("session:error")).code, "RATE_LIMITED");
      const auth = table.client({ auth: guess });
      assert.equal((await auth.next("session:error")).code, "RATE_LIMITED");
      pass("session:join", "RATE_LIMITED");
    } finally {
      await table.close({ check: false });
    }
  });

  it("the tabs of a seat and its reconnections share the limit", async () => {
    const table = new Table(limited, "polling");
    try {
      await table.open();
      const ann = await table.join("Ann");
      const tab = await table.tab(ann);
      for (const client of [ann, tab, ann, tab, ann]) await client.do("player:update", { name: "Ann" });
      await tab.refused("RATE_LIMITED", "player:update", { name: "Ann" });
      ann.close();
      tab.close();
      const back = await table.tab(ann);
      await back.refused("RATE_LIMITED", "player:update", { name: "Ann" });
      // Whoever else is there has limits of their own.
      await table.host.do("player:update", { name: "Hanna" });
    } finally {
      await table.close({ check: false });
    }
  });
});

describe("what is no event of the catalogue", { concurrency: true }, () => {
  for (const transport of TRANSPORTS) {
    it(`is unknown (${transport})`, async () => {
      await seated(open, transport, async ({ ann, outside }) => {
        for (const client of [ann, outside]) {
          await client.refused("UNKNOWN_EVENT", "vote:steal", {});
          client.tell("constructor", {});
          const error = await client.next("session:error");
          assert.deepEqual([error.code, error.event], ["UNKNOWN_EVENT", "constructor"]);
        }
        pass("(any other)", "UNKNOWN_EVENT");
        pass("(any other)", "told");
      });
    });
  }
});

describe("a server at its limits", () => {
  it("opens no session beyond its number, and lets go of who does not listen", async () => {
    const table = new Table(small, "websocket");
    try {
      await table.open();
      const other = await table.stranger();
      const error = await other.refused("SERVER_BUSY", "session:create", { name: "S", playerName: "P" });
      assert.ok(1 <= error.retryAfter);
      pass("session:create", "SERVER_BUSY");
      for (let count = 0; count < 6; count++) other.tell("nonsense", {});
      const ended = await other.next("connection:error");
      assert.equal(ended.code, "RATE_LIMITED");
      await other.next("(disconnect)");
      // Everybody else is untouched.
      await table.host.do("vote:submit", table.vote("5"));
    } finally {
      await table.close();
    }
  });
});

after(() => {
  const outcomes = [...new Set([...passed.values()].flatMap((row) => [...row.keys()]))];
  const first = ["accepted", "unchanged", "replayed", "told", "BAD_REQUEST", "PAYLOAD_TOO_LARGE", "NOT_JOINED", "RATE_LIMITED", "SESSION_ENDED", "FORBIDDEN"];
  outcomes.sort((a, b) => (first.indexOf(a) + 1 || 99) - (first.indexOf(b) + 1 || 99) || (a < b ? -1 : 1));
  const letter = (index) => String.fromCharCode(65 + (index % 26)) + (index < 26 ? " " : "'");
  const cell = (count) => (count === 0 ? "!" : String(count ?? "·")).padEnd(3);
  const lines = [`${"".padEnd(22)}${outcomes.map((_, index) => letter(index).padEnd(3)).join("")}`];
  for (const [event, row] of passed) {
    lines.push(event.padEnd(22) + outcomes.map((outcome) => cell(row.get(outcome))).join(""));
  }
  lines.push("", "cells: cases that passed; ! none did; · no such outcome of that event. Columns:");
  for (const [index, outcome] of outcomes.entries()) lines.push(`  ${letter(index)} ${outcome}`);
  lines.push("", "not to be had here:");
  for (const [code, why] of Object.entries(NOT_HERE)) lines.push(`  ${code}: ${why}`);
  console.log(`\nevents × outcomes\n\n${lines.join("\n")}\n`);
});
