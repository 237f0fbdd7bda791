// Ports for programs that must be told one, and must have it again when they
// were killed and are started anew.

import { readFileSync } from "node:fs";
import net from "node:net";

/** Below it live services of the machine. */
const LOWEST = 10_000;
/** Where Linux begins, unless it is told otherwise. */
const USUAL_FIRST_EPHEMERAL = 32_768;
const ATTEMPTS_MAX = 1_000;

const given = new Set();

/**
 * One that nobody listens on, and that the kernel gives to nobody: those that
 * it draws for connections and for port 0 lie elsewhere. Otherwise another test
 * could have it before the program does.
 */
export async function freePort() {
  const span = firstEphemeral() - LOWEST;
  for (let attempts = 0; 0 < span && attempts < ATTEMPTS_MAX; attempts += 1) {
    const port = LOWEST + Math.floor(Math.random() * span);
    if (given.has(port) || !(await listen(port))) continue;
    given.add(port);
    return port;
  }
  return listen(0);
}

function firstEphemeral() {
  try {
    return Number.parseInt(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8"), 10);
  } catch {
    return USUAL_FIRST_EPHEMERAL;
  }
}

/** The port, if it could be had. */
function listen(port) {
  return new Promise((resolve) => {
    const listener = net.createServer();
    listener.once("error", () => resolve(null));
    listener.listen(port, "127.0.0.1", () => {
      const had = listener.address().port;
      listener.close(() => resolve(had));
    });
  });
}
