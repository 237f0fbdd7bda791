// A cardroom of its own for one test: the real binary on a port that is free.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const BINARY = process.env.CARDROOM
  ?? join(resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target"), "debug", "cardroom");

export { UNLIMITED } from "../support/server.mjs";

// A runner that gives up on a test file must not leave its servers behind.
const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill()));
process.once("SIGTERM", () => process.exit(1));

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
    running.add(server.#process);
    server.#process.once("exit", () => running.delete(server.#process));
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
    while (!isThere(this.log)) await once(this.#process.stderr, "data", { signal: AbortSignal.timeout(30_000) });
  }

  /** Whoever reads the log goes away. */
  closeLog() {
    this.#process.stderr.destroy();
    this.log = "";
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
