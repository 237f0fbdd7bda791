// What every story shares: steps that say what they found, and patience with a limit.

import { once } from "node:events";

const PATIENCE_MS = 30_000;

/** Runs named steps in order; the process fails with the first that does. */
export async function story(steps) {
  for (const [name, step] of Object.entries(steps)) {
    await within(step(), name);
    console.log(`ok ${name}`);
  }
  console.log("done");
  process.exit(0);
}

/** The arguments of the next event of that name. */
export function next(emitter, name) {
  if (emitter instanceof EventTarget) return once(emitter, name);
  return new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));
}

/** `promise`, or a failure that names what was awaited. */
export async function within(promise, what, ms = PATIENCE_MS) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited too long for: ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** `node script.mjs URL transport[,transport…]` */
export const url = process.argv[2];
export const transports = (process.argv[3] ?? "polling,websocket").split(",");
