// A `redis-server` of its own for a test file: free port, no persistence,
// ended by pid.

import { spawn } from "node:child_process";
import net from "node:net";
import os from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

import { freePort } from "./ports.mjs";

export async function startRedis() {
  const port = await freePort();
  const flags = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", os.tmpdir()];
  const child = spawn("redis-server", flags, { stdio: "ignore" });
  process.once("exit", () => child.kill("SIGKILL"));
  let failure = null;
  child.once("error", (error) => (failure = error));
  const redis = new Redis(port, child);
  for (let attempts = 0; ; attempts += 1) {
    if (failure) throw failure;
    try {
      await redis.ask("PING");
      return redis;
    } catch (error) {
      if (attempts === 600) throw error;
      await sleep(50);
    }
  }
}

class Redis {
  #child;

  constructor(port, child) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.#child = child;
  }

  /**
   * One command over a connection of its own; resolves with its reply: text,
   * a number, null, or an array of those.
   */
  ask(...words) {
    return new Promise((resolve, reject) => {
      const socket = net.connect(this.port, "127.0.0.1");
      let reply = "";
      socket.on("error", reject);
      socket.on("connect", () => {
        const parts = words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`);
        socket.write(`*${words.length}\r\n${parts.join("")}`);
      });
      socket.on("data", (chunk) => {
        reply += chunk.toString("latin1");
        const parsed = parse(reply, 0);
        if (parsed) {
          socket.destroy();
          if (parsed.value instanceof Error) reject(parsed.value);
          else resolve(parsed.value);
        }
      });
      socket.on("close", () => reject(new Error("the connection ended")));
    });
  }

  /** How often a command was called, in lower case. */
  async calls(command) {
    const stats = await this.ask("INFO", "commandstats");
    return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
  }

  /** Answers nobody, and its time goes on. */
  pause() {
    this.#child.kill("SIGSTOP");
  }

  resume() {
    this.#child.kill("SIGCONT");
  }

  async stop() {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGKILL");
      await ended;
    }
  }
}

/** RESP2, one reply from `at`; null if it is not whole yet. */
function parse(text, at) {
  const end = text.indexOf("\r\n", at);
  if (end < 0) return null;
  const line = text.slice(at + 1, end);
  const next = end + 2;
  switch (text[at]) {
    case "+":
      return { value: line, next };
    case "-":
      return { value: new Error(line), next };
    case ":":
      return { value: Number(line), next };
    case "$": {
      const length = Number(line);
      if (length < 0) return { value: null, next };
      if (text.length < next + length + 2) return null;
      return { value: text.slice(next, next + length), next: next + length + 2 };
    }
    case "*": {
      const value = [];
      let from = next;
      for (let left = Number(line); left > 0; left -= 1) {
        const item = parse(text, from);
        if (!item) return null;
        value.push(item.value);
        from = item.next;
      }
      return { value, next: from };
    }
    default:
      throw new Error(`not RESP: ${text.slice(at, at + 20)}`);
  }
}
