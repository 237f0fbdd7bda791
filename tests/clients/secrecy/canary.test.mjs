// Over random schedules no card reaches anybody but its voter before the
// reveal, and none of a round that is never revealed.
//
// SECRECY_SEED repeats a run, SECRECY_SCHEDULES lengthens it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Schedule } from "./schedule.mjs";
import { Server, UNLIMITED } from "./server.mjs";

const SEED = Number(process.env.SECRECY_SEED ?? Date.now() % 2 ** 31);
const SCHEDULES = Number(process.env.SECRECY_SCHEDULES ?? 120);
const STEPS = 45;
const AT_ONCE = 4;

let server;
const figures = { seed: SEED, schedules: 0, commands: 0, cards: 0, revealed: 0, recovered: 0, packets: 0, sightings: 0 };
const secrets = new Set();

before(async () => {
  server = await Server.start({ ...UNLIMITED, "session.status_debounce_ms": 0 });
});
after(async () => {
  await server.stop();
  console.log(`canaries: ${JSON.stringify(figures)}`);
});

/** Where cards are that should not be there. */
function leaks({ tape, owners, cards, revealed, labels }) {
  // The deck itself is no secret; it is always listed whole, in whatever form.
  const deck = new RegExp(labels.map((label) => `"${label}"`).join("[^A-Z]*"), "g");
  const found = [];
  for (const [stream, lines] of tape.streams) {
    for (const line of lines) {
      const text = line.replace(deck, "(the deck)");
      for (const [card, voter] of cards) {
        if (voter === owners.get(stream) || !text.includes(card)) continue;
        const seq = Number(text.match(/"seq":(\d+)/)?.[1]);
        if (revealed.get(card) <= seq) figures.sightings += 1;
        else found.push(`${card} of ${voter} at ${stream}: ${text.slice(0, 300)}`);
      }
    }
  }
  return found;
}

test(`no card is seen before its time, in ${SCHEDULES} schedules from seed ${SEED}`, async () => {
  const seeds = Array.from({ length: SCHEDULES }, (_, index) => SEED + index);
  const work = async () => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
      const schedule = new Schedule(seed, server.url);
      await schedule.run(STEPS);
      assert.deepEqual(leaks(schedule).slice(0, 3), [], `seed ${seed}`);
      for (const card of schedule.cards.keys()) secrets.add(card);
      for (const token of schedule.tokens) secrets.add(token);
      figures.schedules += 1;
      figures.commands += schedule.commands;
      figures.cards += schedule.casts;
      figures.revealed += schedule.revealed.size;
      figures.recovered += schedule.recovered;
      figures.packets += schedule.tape.lines;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  assert.ok(figures.sightings > 0, "what was revealed was seen");
  assert.ok(figures.recovered > 0, "what was missed was replayed");
});

test("the search finds a card in the wrong hands", async () => {
  const schedule = new Schedule(1, server.url);
  await schedule.run(STEPS);
  assert.equal(leaks(schedule).length, 0);
  assert.notEqual(leaks({ ...schedule, owners: new Map() }).length, 0, "the voter's as anybody's");
  assert.notEqual(leaks({ ...schedule, revealed: new Map() }).length, 0, "as if never revealed");
});

test("neither a card nor a token is in the log", async () => {
  const log = await server.stop();
  for (const secret of secrets) assert.ok(!log.includes(secret), secret);
  assert.doesNotMatch(log, /panicked/);
  assert.match(log, /DEBUG cardroom/, "all levels are in it");
});
