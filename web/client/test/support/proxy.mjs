// A TCP proxy before the server, to cut, to stall and to refuse connections.

import net from "node:net";

export async function startProxy(target) {
  let { hostname, port } = new URL(target);
  const pairs = new Set();
  let isOpen = true;
  let stalled = [];
  const server = net.createServer((client) => {
    if (!isOpen) return client.destroy();
    const upstream = net.connect(Number(port), hostname);
    const pair = { client, upstream };
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const [from, to, way] of [[client, upstream, "up"], [upstream, client, "down"]]) {
      from.on("data", (bytes) => stalled.includes(way) || to.write(bytes));
      from.on("close", end);
      from.on("error", end);
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    for (const { client, upstream } of [...pairs]) {
      client.destroy();
      upstream.destroy();
    }
  };
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** Breaks what is open; new connections are taken. */
    cut,
    /** Breaks what is open and takes nothing new. */
    refuse() {
      isOpen = false;
      cut();
    },
    /** What is open stays open, and nothing passes: `up` to the server, `down` from it. */
    stall(...ways) {
      stalled = ways.length ? ways : ["up", "down"];
    },
    allow() {
      isOpen = true;
      stalled = [];
    },
    /** New connections go to another server. */
    lead(target) {
      ({ hostname, port } = new URL(target));
    },
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
