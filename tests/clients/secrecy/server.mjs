// A cardroom of its own for one test: the real binary on a port that is free.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const BINARY = process.env.CARDROOM_BIN
  ?? `${process.env.CARGO_TARGET_DIR ?? `${ROOT}target`}/debug/cardroom`;

// Numbers that no scenario comes near, for tests that are not about them.
const EVENTS_PER_MINUTE = 100_000;
const LIMITED = [
  "cards:reveal", "countdown:cancel", "game:reset", "heartbeat", "history:get",
  "player:demote", "player:nudge", "player:promote", "player:remove",
  "player:set-spectator", "player:transfer", "player:update", "presence:set",
  "reaction:send", "round:restore", "session:configure", "session:create",
  "session:end", "session:join", "session:leave", "session:lock",
  "session:sync", "story:activate", "story:create", "story:delete",
  "story:finalize", "story:import", "story:reorder", "story:update",
  "timer:extend", "timer:pause", "timer:resume", "timer:start", "timer:stop",
  "vote:change", "vote:retract", "vote:submit",
];

/** Settings that lift every rate limit. */
export const UNLIMITED = Object.fromEntries([
  ...LIMITED.map((event) => [`rate_limits.${event}`, EVENTS_PER_MINUTE]),
  ["limits.failed_joins_max", EVENTS_PER_MINUTE],
  ["limits.failed_joins_per_minute_max", EVENTS_PER_MINUTE],
  ["limits.rejected_events_max", EVENTS_PER_MINUTE],
]);

export class Server {
  /** Everything it wrote to standard error: its log. */
  log = "";
  #process;

  /** Starts one; resolves when it listens. */
  static async start(settings = {}) {
    if (!existsSync(BINARY)) throw new Error(`no server at ${BINARY}: run cargo build first`);
    const server = new Server();
    const pairs = Object.entries({ "log.level": "trace", ...settings });
    const set = pairs.flatMap(([key, value]) => ["--set", `${key}=${value}`]);
    server.#process = spawn(BINARY, ["--listen", "127.0.0.1:0", ...set], {
      // Nothing of the caller's environment may configure it.
      env: { RUST_BACKTRACE: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    server.#process.stderr.setEncoding("utf8").on("data", (text) => (server.log += text));
    server.#process.stdout.setEncoding("utf8");
    let said = "";
    for await (const text of server.#process.stdout) {
      said += text;
      server.url = said.match(/listens on (\S+)\n/)?.[1];
      if (server.url) return server;
    }
    throw new Error(`the server did not start: ${server.log}`);
  }

  get port() {
    return Number(new URL(this.url).port);
  }

  get isRunning() {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** How many file descriptors it has open. */
  get openFiles() {
    return readdirSync(`/proc/${this.#process.pid}/fd`).length;
  }

  /** Resolves when the log shows it. */
  async logged(isThere) {
    while (!isThere(this.log)) await once(this.#process.stderr, "data", { signal: AbortSignal.timeout(10_000) });
  }

  /** Ends it; resolves with the whole log when all of that has arrived. */
  async stop() {
    if (this.isRunning) {
      const ended = once(this.#process, "close");
      this.#process.kill("SIGTERM");
      await ended;
    }
    return this.log;
  }
}
