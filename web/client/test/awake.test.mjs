// A device that wakes up: the connection is looked after at once.

import assert from "node:assert/strict";

import { serve, story, until } from "./support/people.mjs";

globalThis.window = new EventTarget();
globalThis.document = Object.assign(new EventTarget(), { visibilityState: "visible" });

const server = await serve();

story(server, "a retry at once when the device is back", async (room) => {
  const proxy = await room.proxy();
  const host = await room.open({}, { url: proxy.url });
  for (const [target, name] of [[window, "online"], [window, "pageshow"], [document, "visibilitychange"]]) {
    proxy.refuse();
    await until(host, () => 5 <= host.connection.attempt && host.connection.retryAt - Date.now() > 500);
    proxy.allow();
    target.dispatchEvent(new Event(name));
    // Nothing is waited for any more, before anything else could happen.
    assert.equal(host.connection.retryAt, null, `${name} did not hurry`);
    await until(host, () => host.connection.status === "online");
  }
});

story(server, "a connection that is dead is found out", async (room) => {
  const proxy = await room.proxy();
  const host = await room.open({}, { url: proxy.url });
  proxy.stall();
  const probed = Date.now();
  document.dispatchEvent(new Event("visibilitychange"));
  await until(host, () => host.connection.status === "reconnecting");
  // The heartbeat would take three quarters of a minute.
  assert.ok(Date.now() - probed < 20_000);
  proxy.allow();
  proxy.cut();
  await until(host, () => host.connection.status === "online");
});

story(server, "a look at a connection ends with it", async (room) => {
  const proxy = await room.proxy();
  const host = await room.open({}, { url: proxy.url });
  proxy.stall();
  document.dispatchEvent(new Event("visibilitychange"));
  proxy.refuse();
  await until(host, () => host.connection.status === "reconnecting");
  proxy.allow();
  host.retryNow();
  await until(host, () => host.connection.status === "online");
  const lost = [];
  host.subscribe(() => host.connection.status === "online" || lost.push(host.connection.status));
  // Longer than it would have waited for an answer.
  await new Promise((resolve) => setTimeout(resolve, 4_500));
  assert.deepEqual(lost, []);
});
