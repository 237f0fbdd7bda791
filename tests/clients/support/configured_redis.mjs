// A `redis-server` as `infra/redis` has it: its settings, its users. Ended by pid.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { freePort } from "./ports.mjs";

const INFRA = fileURLToPath(new URL("../../../infra/redis", import.meta.url));
const PASSWORDS = { CARDROOM: "of-the-server", ADMIN: "of-the-admin", EXPORTER: "of-the-exporter" };

export async function startConfiguredRedis() {
  const folder = mkdtempSync(path.join(os.tmpdir(), "redis-"));
  const port = await freePort();
  const users = readFileSync(path.join(INFRA, "users.acl"), "utf8");
  writeFileSync(path.join(folder, "users.acl"), users.replace(/@([A-Z]+)_PASSWORD@/g, (_, name) => PASSWORDS[name]));
  const flags = [path.join(INFRA, "redis.conf"), "--port", port, "--dir", folder, "--aclfile", path.join(folder, "users.acl")];
  const run = () => spawn("redis-server", flags, { stdio: "ignore" });
  let child = run();
  process.once("exit", () => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  /** What `redis-cli` prints for that user; refusals as well. */
  const ask = (user, ...words) =>
    execFileSync("redis-cli", ["-p", port, "--user", user, "--no-auth-warning", ...words], {
      encoding: "utf8",
      env: { ...process.env, REDISCLI_AUTH: PASSWORDS[user.toUpperCase()] },
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();

  async function isReady() {
    for (let attempts = 0; ; attempts += 1) {
      try {
        if (ask("admin", "PING") === "PONG") return;
      } catch (error) {
        if (attempts === 600) throw error;
      }
      await sleep(50);
    }
  }
  async function stop(signal) {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }
  await isReady();
  return {
    url: `redis://cardroom:${PASSWORDS.CARDROOM}@127.0.0.1:${port}`,
    /** What its users may touch. */
    prefix: "cardroom:",
    ask,
    /** With what it has on disk. */
    async restart() {
      await stop("SIGKILL");
      child = run();
      await isReady();
    },
    stop: () => stop("SIGTERM"),
  };
}
