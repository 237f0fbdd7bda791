// Several instances on one Redis, and for each person a load balancer of the
// own, so that it is known who is served by which of them.

import { Front } from "../../clients/support/front.mjs";
import { startProxy } from "../../clients/support/proxy.mjs";
import { startRedis } from "../../clients/support/redis.mjs";
import { startServer } from "../../clients/support/server.mjs";

// Each process takes part in the end of this one.
process.setMaxListeners(64);

/** `count` instances; `settings` are added to what all of them need. */
export async function startFleet(count, settings = {}) {
  const redis = await startRedis();
  const all = {
    "redis.url": redis.url,
    "auth.token_keys": '[{ kid = "t", secret = "of all instances, 32 bytes long." }]',
    "instances.shared_secret": "what the instances of this test share",
    ...settings,
  };
  const servers = await Promise.all(Array.from({ length: count }, () => startServer(all)));
  return new Fleet(redis, servers);
}

class Fleet {
  #ways = [];
  #dead = new Set();

  constructor(redis, servers) {
    this.redis = redis;
    this.servers = servers;
    this.url = servers[0].url;
  }

  /** A way in that stays with instance `index` while it lives, then with the next one. */
  async faithful(index) {
    const serving = () => {
      while (this.#dead.has(index)) index = (index + 1) % this.servers.length;
      return index;
    };
    const front = await Front.open(() => this.servers[serving()].url);
    this.#ways.push(() => front.close());
    return { url: front.url, serving };
  }

  /** A way in that brings every request to the next instance. */
  async fickle() {
    const proxy = await startProxy(this.servers.map((server) => server.url));
    this.#ways.push(() => proxy.stop());
    return { url: proxy.url, serving: () => [...proxy.owners.values()].at(-1) };
  }

  /** As a crash does it: nobody is told. */
  async kill(index) {
    this.#dead.add(index);
    await this.servers[index].signal("SIGKILL");
  }

  async stop() {
    for (const close of this.#ways) close();
    this.redis.resume();
    await Promise.all(this.servers.map((server) => server.stop()));
    await this.redis.stop();
  }
}
