// Before a reveal nobody but the voter can tell what she voted: two runs that
// differ in her votes only are the same, byte by byte, to everybody else.

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";

import { canonical, difference } from "./canonical.mjs";
import { Tape, TRANSPORTS } from "./client.mjs";
import { isFinale, isOwn, play } from "./scenario.mjs";
import { Server } from "./server.mjs";

const ballots = (values, confidence) =>
  values.map((value, index) => ({ value, confidence: confidence(index) }));
const LOW = ["0", "1", "2", "3", "5", "8", "?", "☕", "3", "1"];

const VARIANTS = {
  base: { votes: ballots(LOW, () => 1), refused: "7", finale: { value: "1" } },
  "other values of the same length": {
    votes: ballots(["8", "5", "3", "2", "1", "0", "☕", "?", "2", "5"], () => 1),
    refused: "4",
    finale: { value: "1" },
  },
  "values of other lengths": {
    votes: ballots(["13", "☕", "89", "55", "0", "34", "1", "21", "55", "☕"], () => 1),
    refused: "no card",
    finale: { value: "1" },
  },
  "other confidences": {
    votes: ballots(LOW, (index) => (index % 4) + 2),
    refused: "7",
    finale: { value: "1" },
  },
};
/** A vote that everybody sees, to know that the comparison would notice. */
const REVEALED_DIFFERENTLY = { ...VARIANTS.base, finale: { value: "8" } };

const SETTINGS = {
  "session.status_debounce_ms": 0,
  "session.away_debounce_ms": 0,
  // Longer than who comes back at once takes on a busy machine.
  "session.disconnect_grace_ms": 8_000,
  "rate_limits.vote:submit": 1_000,
  "rate_limits.vote:change": 1_000,
  "rate_limits.session:sync": 1_000,
  "rate_limits.history:get": 1_000,
};

const figures = { runs: 0, packets: 0, compared: 0, logLines: 0 };
after(() => console.log(`non-interference: ${JSON.stringify(figures)}`));

async function run(transport, variant) {
  const server = await Server.start(SETTINGS);
  const tape = new Tape();
  let secrets;
  try {
    secrets = await play({ tape, url: server.url, transport, ...variant });
    const opened = [...tape.streams.values()].flat().filter((line) => line.startsWith("open ")).length;
    await server.logged((log) => log.split(" connection closed ").length - 1 === opened);
  } finally {
    await server.stop();
  }
  assert.doesNotMatch(server.log, /panicked/);
  for (const secret of [...secrets.tokens, ...secrets.passwords]) {
    assert.ok(!server.log.includes(secret), "a token or a password in the log");
  }
  figures.runs += 1;
  figures.packets += tape.lines;
  // What is said at one moment by several threads has no order in a log.
  const lines = server.log.split("\n").map((line) => line.replace(/^\S+Z /, ""));
  // How long its end took, and whether the last one was quite gone by then, says nothing of the game.
  const log = lines.filter((line) => !/^\s*INFO cardroom::server::drain: /.test(line));
  figures.logLines += log.length;
  const streams = canonical(tape.streams, secrets.ids);
  const [logged] = canonical(new Map([["log", log]]), secrets.ids).values();
  streams.set("log", logged.map((line) => line.replace(/<(\w+) \d+>/g, "<$1>")).sort());
  return streams;
}

const others = (streams) => new Map([...streams].filter(([name]) => !isOwn(name)));
const own = (streams) => new Map([...streams].filter(([name]) => isOwn(name)));

async function compare(transport) {
  const base = await run(transport, VARIANTS.base);
  for (const [name, variant] of Object.entries(VARIANTS).slice(1)) {
    const streams = await run(transport, variant);
    figures.compared += [...others(streams).values()].reduce((sum, lines) => sum + lines.length, 0);
    assert.equal(difference(others(base), others(streams)), null, name);
    assert.notEqual(difference(own(base), own(streams)), null, "the voter sees her own votes");
  }

  // The same comparison finds what it is there for.
  const revealed = await run(transport, REVEALED_DIFFERENTLY);
  const found = difference(others(base), others(revealed));
  assert.match(found ?? "", /^hanna \(finale\).*"value":"1".*"value":"8"/s);
  const rest = (streams) =>
    new Map([...others(streams)].filter(([stream]) => !isFinale(stream)));
  assert.equal(difference(rest(base), rest(revealed)), null, "the same votes but one");
  const planted = others(base);
  planted.set("paul", [...planted.get("paul"), own(base).get("vera").at(-1)]);
  assert.match(difference(others(base), planted) ?? "", /^paul/);
}

describe("nobody can tell what was voted", { concurrency: true }, () => {
  for (const transport of Object.keys(TRANSPORTS)) {
    it(`over ${transport}`, () => compare(transport));
  }
});
