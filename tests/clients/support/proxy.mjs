// A load balancer without any stickiness: each request goes to the next server,
// whatever connection it came on.

import http from "node:http";
import net from "node:net";

/** Nobody listens there: the next one is asked, as load balancers do. */
const isRefused = (error) => error.code === "ECONNREFUSED";

/**
 * Starts one in front of `targets`, a list of URLs. `owners` tells by its index
 * which target opened the Engine.IO connection of a `sid`.
 */
export async function startProxy(targets) {
  const addresses = targets.map((target) => new URL(target));
  const owners = new Map();
  const agent = new http.Agent({ keepAlive: true });
  const sockets = new Set();
  const waiting = new Map();
  const counts = { requests: 0, upgrades: 0, unknown: 0 };
  let turn = 0;
  const take = () => turn++ % addresses.length;
  /** Where connections are opened, if it is not left to the turns. */
  let door = null;

  function ask(request, response, body, attempts) {
    const { method, url: path, headers } = request;
    const sid = /[?&]sid=([^&]+)/.exec(path)?.[1];
    const index = sid === undefined ? (door ?? take()) : take();
    const { hostname, port } = addresses[index];
    waiting.set(response, { index, sid });
    const upstream = http.request({ agent, hostname, port, method, path, headers }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("error", () => response.destroy());
      answer.on("end", () => {
        const text = Buffer.concat(chunks);
        const opened = /^0\{"sid":"([^"]+)"/.exec(text.toString("latin1"))?.[1];
        if (opened) owners.set(opened, index);
        if (text.includes("Session ID unknown")) counts.unknown++;
        response.writeHead(answer.statusCode, answer.headers);
        response.end(text);
      });
    });
    upstream.on("error", (error) => {
      if (isRefused(error) && attempts > 1) return ask(request, response, body, attempts - 1);
      if (!response.headersSent) response.writeHead(502, { "Access-Control-Allow-Origin": "*" });
      response.end();
    });
    // A client that gives up is given up on.
    response.on("close", () => {
      waiting.delete(response);
      if (!response.writableFinished) upstream.destroy();
    });
    upstream.end(body);
  }

  const server = http.createServer((request, response) => {
    counts.requests++;
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => ask(request, response, Buffer.concat(chunks), addresses.length));
  });

  server.on("upgrade", (request, client, head) => {
    counts.upgrades++;
    const dial = (attempts) => {
      const { hostname, port } = addresses[take()];
      const upstream = net.connect(port, hostname, () => {
        const lines = [`${request.method} ${request.url} HTTP/1.1`];
        for (let at = 0; at < request.rawHeaders.length; at += 2) {
          lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
        }
        upstream.write(`${lines.join("\r\n")}\r\n\r\n`);
        upstream.write(head);
        client.pipe(upstream).pipe(client);
      });
      sockets.add(upstream);
      upstream.on("error", (error) => (isRefused(error) && attempts > 1 ? dial(attempts - 1) : client.destroy()));
      upstream.on("close", () => sockets.delete(upstream));
      client.on("close", () => upstream.destroy());
    };
    client.on("error", () => {});
    dial(addresses.length);
  });

  server.on("connection", (socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    owners,
    counts,
    /** From now on connections over polling are opened at that target; `null`: wherever it is the turn. */
    openAt: (index) => (door = index),
    /** The connections with a request under way at a target. */
    sidsAt: (index) => new Set([...waiting.values()].filter((one) => one.index === index).map((one) => one.sid)),
    stop() {
      agent.destroy();
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
