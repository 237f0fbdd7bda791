// What breaks a connection from the client's side. A close() that waits for an
// upgrade comes in the task in which the last poll is decoded; socket.io-client
// would then hear its events twice.

/** The connection ends at once, as if the network did it; the server may not notice. */
export function breakOff(engine) {
  if (engine?.upgrading) engine.transport.onClose();
  else engine?.close();
}

/** The connection ends as soon as it is not being upgraded, and the server learns of it. */
export async function hangUp(engine) {
  await steady(engine);
  engine.close();
}

/**
 * Resolves as soon as the connection is not being upgraded. Cut between the
 * probe and the end of the pause, engine.io-client polls no more, and waits for
 * the next heartbeat in vain.
 */
export async function steady(engine) {
  if (!engine.upgrading) return;
  await new Promise((resolve) => {
    for (const end of ["upgrade", "upgradeError", "close"]) engine.once(end, resolve);
  });
  await new Promise((resolve) => setImmediate(resolve));
}

/** Heartbeats that notice it all the same before anybody gives up waiting. */
export const BRISK = { "engine.ping_interval_ms": 5_000, "engine.ping_timeout_ms": 10_000 };

/**
 * The connection is not wanted any more. One that waits for an upgrade, or for
 * a server that is gone, would keep this process until its heartbeat is late,
 * which is a minute and a half.
 */
export function putAway(engine) {
  if (!engine) return;
  engine.close();
  const insist = () => engine.readyState !== "closed" && engine.transport.onClose();
  setTimeout(insist, 1_000).unref();
}
