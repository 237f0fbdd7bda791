// A redis-server of the tests: on a free port, without persistence, ended by pid.

import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import os from "node:os";

const START_TIMEOUT_MS = 10_000;

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Resolves once it answers. */
export async function startRedis() {
  const port = await freePort();
  const settings = { port, bind: "127.0.0.1", save: "", appendonly: "no", dir: os.tmpdir() };
  const options = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const child = spawn("redis-server", options, { stdio: "ignore" });
  child.on("error", () => {});
  process.once("exit", () => child.kill("SIGKILL"));
  const redis = {
    url: `redis://127.0.0.1:${port}`,
    /** One command; the reply as it stands on the wire. */
    ask(...words) {
      return new Promise((resolve, reject) => {
        const socket = net.connect(port, "127.0.0.1", () => {
          const parts = ["QUIT"].includes(words[0]) ? [words] : [words, ["QUIT"]];
          for (const part of parts) {
            socket.write(`*${part.length}\r\n${part.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`);
          }
        });
        let reply = "";
        socket.setEncoding("utf8");
        socket.on("data", (chunk) => (reply += chunk));
        socket.on("error", reject);
        socket.on("end", () => resolve(reply.replace(/\+OK\r\n$/, "")));
      });
    },
    /** How often a command was called. */
    async calls(command) {
      const stats = await redis.ask("INFO", "commandstats");
      return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
    },
    stop() {
      child.kill("SIGKILL");
    },
  };
  const started = Date.now();
  for (;;) {
    try {
      if ((await redis.ask("PING")).startsWith("+PONG")) return redis;
    } catch (error) {
      if (Date.now() - started > START_TIMEOUT_MS) {
        throw new Error("no redis-server (scripts/install_redis.sh installs it)", { cause: error });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
