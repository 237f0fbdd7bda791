// Debian's haproxy and nginx with the configurations of `infra/`, as they are:
// only addresses are filled in. Ended by pid.

import { spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { freePort } from "./ports.mjs";

const INFRA = fileURLToPath(new URL("../../../infra", import.meta.url));
/** Debian has both in /usr/sbin. */
const PATH = `${process.env.PATH}:/usr/sbin`;
const START_TIMEOUT_MS = 30_000;

const KINDS = {
  async haproxy(environment) {
    environment.CARDROOM_STATS = `127.0.0.1:${await freePort()}`;
    environment.CARDROOM_MAXCONN = "1000";
    return ["haproxy", ["-db", "-f", path.join(INFRA, "haproxy/haproxy.cfg")]];
  },
  async nginx(environment, folder) {
    const template = readFileSync(path.join(INFRA, "nginx/nginx.conf.template"), "utf8");
    const file = path.join(folder, "nginx.conf");
    writeFileSync(file, template.replace(/\$\{(CARDROOM_\w+)\}/g, (_, name) => environment[name]));
    return ["nginx", ["-c", file, "-g", `daemon off; pid ${folder}/pid;`]];
  },
};

/** Those that there are, for a story before each. */
export const BALANCERS = Object.keys(KINDS);

/** Starts one of them in front of two instances, by their URLs. */
export async function startBalancer(kind, instances) {
  const [one, other] = instances.map((instance) => new URL(instance).host);
  const folder = mkdtempSync(path.join(os.tmpdir(), "balancer-"));
  const port = await freePort();
  const environment = {
    PATH,
    CARDROOM_BIND: `127.0.0.1:${port}`,
    CARDROOM_1: one,
    CARDROOM_2: other,
    CARDROOM_TEMP: folder,
  };
  const [program, flags] = await KINDS[kind](environment, folder);
  // A file: nginx cannot open a stdout that is a socket, as node's pipes are.
  const logFile = path.join(folder, "log");
  const output = openSync(logFile, "a");
  const child = spawn(program, flags, { env: environment, stdio: ["ignore", output, output] });
  process.once("exit", () => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  const log = () => readFileSync(logFile, "utf8");
  let failure = null;
  child.once("error", (error) => (failure = error));
  child.once("exit", (code) => (failure ??= new Error(`${kind} ended with ${code}\n${log()}`)));
  for (const end = Date.now() + START_TIMEOUT_MS; !(await isListening(port)); await sleep(20)) {
    if (failure) throw failure;
    if (end < Date.now()) throw new Error(`${kind} does not listen\n${log()}`);
  }
  return {
    kind,
    url: `http://127.0.0.1:${port}`,
    /** What it says about itself, where it says anything. */
    stats: environment.CARDROOM_STATS && `http://${environment.CARDROOM_STATS}/metrics`,
    log,
    /** SIGTERM ends nginx' workers with their master. */
    async stop() {
      if (child.exitCode !== null) return;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
    },
  };
}

function isListening(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
