// A process full of players. Its one argument says what to do; see
// tests/chaos/swarm.rs for the fields. It says `ready` when everybody plays;
// told `stop` it ends the game and says `settled`; told `end` it leaves.

import { createInterface } from "node:readline";

import { Player } from "./player.mjs";
import { Random } from "./random.mjs";
import { Recorder } from "./recorder.mjs";

const spec = JSON.parse(process.argv[2]);
const recorder = new Recorder(spec.history);
const random = new Random(spec.seed);
const players = [];

function player(session, index) {
  const number = players.length;
  const one = new Player(
    {
      name: `${spec.tag}s${session}p${index}`,
      seed: spec.seed * 1_000 + number,
      url: spec.urls[number % spec.urls.length],
      transport: spec.transports[(session + index) % spec.transports.length],
      thinkMs: spec.thinkMs,
      reconnectionDelayMs: spec.reconnectionDelayMs,
      leads: index === 0 || (spec.isOpen && random.happens(0.3)),
    },
    recorder,
  );
  players.push(one);
  return one;
}

async function open(session) {
  const people = Array.from({ length: spec.playersPerSession }, (_, index) => player(session, index));
  const settings = { permissions: { story: "everyone" }, ...(spec.isOpen && { preset: "open" }) };
  const id = await people[0].create(settings);
  await Promise.all(people.map((one) => one.join(id)));
}

// A thousand at once would be a flood.
const AT_ONCE = 8;
/** Players who ask for the last look at one time. */
const ASKING = 100;
for (let first = 0; first < spec.sessions; first += AT_ONCE) {
  const count = Math.min(AT_ONCE, spec.sessions - first);
  await Promise.all(Array.from({ length: count }, (_, index) => open(first + index)));
}
for (const one of players) one.play();
const flushing = setInterval(() => recorder.flush(), 200);
console.log("ready");

/** Some connections break by themselves, as they do with people who travel. */
const dropping = spec.dropEveryMs
  ? setInterval(() => random.one(players).drop(), spec.dropEveryMs)
  : null;

async function stop() {
  clearInterval(dropping);
  await Promise.all(players.map((one) => one.settle(spec.settleMs)));
  // What is due by itself happens, and everybody hears of it.
  await new Promise((resolve) => setTimeout(resolve, spec.quietMs));
  for (let first = 0; first < players.length; first += ASKING) {
    await Promise.all(players.slice(first, first + ASKING).map((one) => one.finish()));
  }
  recorder.flush();
  console.log("settled");
}

function end() {
  clearInterval(flushing);
  for (const one of players) one.end();
  recorder.close();
  process.exit(0);
}

const orders = createInterface({ input: process.stdin });
orders.on("line", (order) => (order === "stop" ? stop() : end()));
// Whoever started us is gone.
orders.on("close", end);
