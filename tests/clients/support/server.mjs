// A server of its own for each test file: free port, own settings, ended by pid.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import path from "node:path";

import { lagging, listenBehind } from "./lag.mjs";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const BINARY =
  process.env.CARDROOM ??
  path.join(path.resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target"), "debug", "cardroom");
/** Whatever is configured in this shell is no part of the tests. */
const ENVIRONMENT = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(CARDROOM_|CLIENT_URL$)/.test(name)),
);
const START_TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = 30_000;
const LOG_TIMEOUT_MS = 10_000;

/** Every client event with the limit per 60 s that the catalogue gives it. */
export const LIMITS = {
  "session:create": 10,
  "session:join": 30,
  "session:leave": 30,
  "session:sync": 30,
  "session:configure": 10,
  "session:lock": 10,
  "session:end": 3,
  "player:update": 5,
  "player:set-spectator": 15,
  "player:remove": 15,
  "player:promote": 15,
  "player:demote": 15,
  "player:transfer": 5,
  "player:nudge": 5,
  "presence:set": 12,
  "reaction:send": 20,
  "vote:submit": 10,
  "vote:change": 30,
  "vote:retract": 30,
  "cards:reveal": 30,
  "countdown:cancel": 10,
  "game:reset": 30,
  "round:restore": 5,
  "story:update": 5,
  "story:create": 30,
  "story:import": 3,
  "story:delete": 30,
  "story:reorder": 30,
  "story:activate": 15,
  "story:finalize": 15,
  "timer:start": 30,
  "timer:stop": 30,
  "timer:pause": 30,
  "timer:resume": 30,
  "timer:extend": 30,
  "history:get": 10,
  heartbeat: 30,
};

/** Settings under which no rate limit is met by chance. */
export const UNLIMITED = {
  ...Object.fromEntries(Object.keys(LIMITS).map((event) => [`rate_limits.${event}`, 100_000])),
  "limits.failed_joins_max": 100_000,
  "limits.failed_joins_per_minute_max": 1_000_000,
  "limits.rejected_events_max": 100_000,
  "limits.sessions_per_address_hour_max": 1_000_000,
  "limits.connections_per_address_max": 100_000,
  "limits.handshakes_per_second_max": 100_000,
  "limits.handshakes_per_address_per_second_max": 100_000,
};

/** A Redis that a busy machine holds up is not one that is away. */
const PATIENT = { "redis.command_timeout_ms": 10_000 };

/** Presence told at once; everything else as the catalogue has it. */
export const PROMPT = { "session.status_debounce_ms": 0, "session.away_debounce_ms": 0 };

/**
 * Starts a server; `settings` are those of `--print-config`, by their keys.
 * Resolves once it listens: on a free port, or where one listened before.
 */
export async function startServer(settings = {}, listen = "127.0.0.1:0") {
  const all = { "server.drain_seconds": 0, "log.level": "warn", ...PATIENT, ...settings };
  const sets = Object.entries(all).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const child = spawn(BINARY, ["--listen", listenBehind(listen), ...sets], {
    cwd: ROOT,
    env: ENVIRONMENT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  // No server outlives its tests, however they end.
  process.once("exit", () => child.kill("SIGKILL"));
  process.once("SIGTERM", () => process.exit(143));
  let output = "";
  let log = "";
  child.stderr.on("data", (chunk) => (log += chunk));
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
  const listening = await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no server within ${START_TIMEOUT_MS} ms\n${log}`)), START_TIMEOUT_MS);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}\n${log}`)));
    child.stdout.on("data", (chunk) => {
      output += chunk;
      const address = /listens on (https?:\S+)/.exec(output);
      if (address) {
        clearTimeout(late);
        resolve(address[1]);
      }
    });
  });
  return {
    url: await lagging(listening, ended),
    log: () => log,
    /** Resolves once the log says so: what it writes arrives a moment later. */
    async logged(words) {
      for (const end = Date.now() + LOG_TIMEOUT_MS; !words.test(log); ) {
        if (end < Date.now()) throw new Error(`no ${words} in the log:\n${log}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    /** `{code, signal}`, once it has ended. */
    ended,
    /** SIGKILL is a crash, SIGSTOP a pause; resolves once it has arrived. */
    async signal(name) {
      child.kill(name);
      if (name === "SIGKILL") await ended;
    },
    async stop() {
      // One that is paused would not hear the rest.
      child.kill("SIGCONT");
      child.kill("SIGTERM");
      let isLate = false;
      const late = setTimeout(() => (isLate = child.kill("SIGKILL")), END_TIMEOUT_MS);
      const end = await ended;
      clearTimeout(late);
      if (isLate) throw new Error(`the server did not end within ${END_TIMEOUT_MS} ms\n${log}`);
      if (/panicked/.test(log)) throw new Error(`the server panicked\n${log}`);
      return end;
    },
  };
}
