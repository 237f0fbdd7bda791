// A slow line: whatever only goes well when the answer comes at once fails
// behind it. `LAG_MS=200 make test-browser` or `test-clients` puts one before
// each server.

import { randomInt } from "node:crypto";
import net from "node:net";

/** The most that each piece of a stream is late, in milliseconds. */
const LAG_MS = Number(process.env.LAG_MS ?? 0);
/** How many pieces are under way at most, each way. */
const PIECES_MAX = 256;

/** From the address of a line to that of the server behind it. */
const behind = new Map();

/** Where the server is told to listen if its clients know it as `address`. */
export const listenBehind = (address) => behind.get(address) ?? address;

/** The URL by which clients should know the server at `url`, while it lives: until `ended` resolves. */
export async function lagging(url, ended) {
  if (LAG_MS === 0) return url;
  const { protocol, host, hostname, port } = new URL(url);
  const line = net.createServer({ allowHalfOpen: true }, (client) => {
    const server = net.connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    carry(client, server);
    carry(server, client);
  });
  // One that came back is where it was.
  const before = [...behind].find(([, server]) => server === host)?.[0].split(":")[1];
  await new Promise((resolve) => line.listen(Number(before ?? 0), "127.0.0.1", resolve));
  line.unref();
  // Nobody answers for a server that has ended.
  void ended.then(() => line.close());
  const address = `127.0.0.1:${line.address().port}`;
  behind.set(address, host);
  return `${protocol}//${address}`;
}

/** What comes from one goes to the other: late, in order, to its end. */
function carry(from, to) {
  const pieces = [];
  let isWaiting = false;
  const put = (give) => {
    pieces.push({ give, due: performance.now() + randomInt(LAG_MS + 1) });
    if (pieces.length >= PIECES_MAX) from.pause();
    next();
  };
  const next = () => {
    if (isWaiting || pieces.length === 0) return;
    isWaiting = true;
    setTimeout(() => {
      const goesOn = pieces.shift().give();
      const go = () => {
        isWaiting = false;
        from.resume();
        next();
      };
      if (goesOn || to.destroyed) go();
      else to.once("drain", go);
    }, pieces[0].due - performance.now());
  };
  from.on("data", (piece) => put(() => to.write(piece)));
  from.on("end", () => put(() => to.end() && true));
  from.on("close", () => put(() => to.destroySoon() || true));
  from.on("error", () => put(() => to.destroy() && true));
}
