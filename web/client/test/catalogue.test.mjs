// The types cannot lie: everything that a real server says in a session that
// leaves nothing out is what the generated catalogue describes, and no more.

import { after, describe, it } from "node:test";
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { io } from "socket.io-client";
import Ajv from "ajv";

import { PROMPT, startServer, UNLIMITED } from "../../../tests/clients/support/server.mjs";
import { catalogue, complaints, keyOf } from "./support/catalogue.mjs";

const seen = new Set();
const wrong = [];

function judge(key, value) {
  seen.add(key);
  wrong.push(...complaints(key, value));
}

/** A plain client; whatever it says and hears is judged. */
class Client {
  static all = [];

  constructor(url) {
    this.socket = io(url, { forceNew: true, reconnection: false, transports: ["websocket"] });
    this.heard = [];
    this.socket.onAny((name, payload) => {
      judge(keyOf("server", name), payload);
      this.heard.push(name);
    });
    Client.all.push(this);
  }

  /** Says what is described, and gives the answer. */
  async say(event, payload = {}) {
    judge(keyOf("client", event), payload);
    return this.ask(event, payload);
  }

  async ask(event, payload) {
    const answer = await this.socket.timeout(10_000).emitWithAck(event, payload);
    judge(answer.ok ? `${keyOf("client", event)}.accepted` : "refused", answer);
    return answer;
  }

  async accepted(event, payload) {
    const answer = await this.say(event, payload);
    assert.equal(answer.ok, true, `${event}: ${JSON.stringify(answer)}`);
    return answer;
  }

  async refused(code, event, payload) {
    const answer = await this.ask(event, payload);
    assert.equal(answer.error?.code, code, `${event}: ${JSON.stringify(answer)}`);
  }

  async hears(name) {
    for (let waited = 0; !this.heard.includes(name); waited += 20) {
      assert.ok(waited < 10_000, `${name} was not heard`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function serve(settings = {}) {
  const server = await startServer({ ...UNLIMITED, ...PROMPT, ...settings });
  after(() => {
    for (const { socket } of Client.all) socket.disconnect();
    return server.stop();
  });
  return server;
}

describe("what is said is what is described", () => {
  it("in a whole session", async () => {
    const { url } = await serve();
    const [host, ann, bob, cleo] = Array.from({ length: 4 }, () => new Client(url));
    const { sessionId, currentStory, code, playerToken } = await host.accepted("session:create", {
      name: "Planning",
      playerName: "Hanna",
      deck: { name: "Ours", cards: ["1", 2, { value: "3" }, "5", "8", "?", "☕"] },
      settings: { allowChangeAfterReveal: true, permissions: { reveal: "everyone" }, preset: "open" },
    });
    const join = (client, playerName, more) => client.accepted("session:join", { sessionId, playerName, ...more });
    const annId = (await join(ann, "Ann", { avatar: "🦊" })).player.id;
    const bobId = (await join(bob, "Bob")).player.id;
    await cleo.refused("SESSION_NOT_FOUND", "session:join", { sessionId: "ZZZZZZZZ", playerName: "Cleo" });
    const cleoId = (await cleo.accepted("session:join", { sessionId: code, playerName: "Cleo" })).player.id;
    await ann.accepted("session:sync", { lastSeq: 3 });
    await ann.accepted("heartbeat", { timestamp: Date.now() });
    cleo.socket.emit("cards:reveal", {});
    cleo.socket.emit("no:such", {});
    await cleo.refused("UNKNOWN_EVENT", "no:such", {}).catch(() => {});

    const storyId = currentStory.id;
    const tab = new Client(url);
    await tab.accepted("session:join", { sessionId, playerToken });
    const { roundId } = await host.accepted("vote:submit", { storyId, value: 5, confidence: 4 });
    await ann.accepted("vote:submit", { storyId, value: "1", roundId });
    await bob.accepted("vote:submit", { storyId, value: "8" });
    await bob.accepted("vote:retract", { storyId });
    await cleo.accepted("vote:submit", { storyId, value: "?", confidence: 1 });
    await ann.refused("INVALID_CARD", "vote:submit", { storyId, value: "99" });
    await ann.refused("STALE_ROUND", "vote:submit", { storyId, value: "1", roundId: roundId + 5 });
    await ann.refused("STALE_STORY", "vote:submit", { storyId: "s99", value: "1" });
    await ann.refused("BAD_REQUEST", "vote:submit", { value: "1" });
    await ann.accepted("cards:reveal", { storyId, roundId });
    await host.accepted("cards:reveal", {});
    await ann.accepted("vote:change", { storyId, value: "2" });
    await host.accepted("session:sync");
    await host.accepted("game:reset", { roundId, newStory: { title: "Second", description: "Of two" } });
    await host.accepted("round:restore", { roundId });
    await host.accepted("game:reset");

    await host.accepted("story:import", { format: "csv", data: "title,key\nA,K-1\n,K-2\nC,K-3\n" });
    const created = await host.accepted("story:create", { title: "Third", link: "https://example.org/", clientRef: "x", key: "K-9" });
    const third = created.storyId;
    await host.accepted("story:update", { storyId: third, title: "The third", description: "More" });
    await host.accepted("story:reorder", { storyId: third, beforeId: storyId });
    await host.accepted("story:activate", { storyId: third });
    await host.accepted("story:finalize", { storyId: third, value: "3" });
    await host.accepted("story:finalize", { storyId: third, value: null });
    await host.refused("STORY_ACTIVE", "story:delete", { storyId: third });
    await host.refused("STORY_NOT_FOUND", "story:activate", { storyId: "s77" });
    await host.accepted("story:activate", { storyId });
    await host.accepted("story:delete", { storyId: third });

    await host.accepted("timer:start", { duration: 30, onExpire: "reveal" });
    await host.accepted("timer:pause");
    await host.accepted("timer:resume");
    await host.accepted("timer:extend", { seconds: 20 });
    await host.accepted("session:sync");
    await host.accepted("timer:stop");
    await host.refused("TIMER_NOT_RUNNING", "timer:pause", {});

    await ann.accepted("player:update", { name: "bob", isSpectator: true });
    await ann.accepted("player:update", { name: "bob" });
    await ann.refused("SPECTATOR_CANNOT_VOTE", "vote:submit", { storyId, value: "1" });
    await host.accepted("player:set-spectator", { playerId: annId, isSpectator: false });
    await host.accepted("player:promote", { playerId: annId });
    await host.accepted("player:demote", { playerId: annId });
    await host.accepted("player:nudge", { playerId: annId });
    await ann.accepted("presence:set", { away: true });
    await ann.accepted("presence:set", { away: false });
    for (let heard = 0; heard < 1; heard = bob.heard.filter((name) => name === "reaction:received").length) {
      await ann.accepted("reaction:send", { emoji: "🚀" });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await ann.refused("FORBIDDEN", "session:lock", { locked: true });

    await host.accepted("session:configure", { autoReveal: true, revealCountdownMs: 10_000, timerSeconds: 90 });
    for (const client of [host, ann, bob, cleo]) await client.accepted("vote:submit", { storyId, value: "5" });
    await host.hears("reveal:countdown");
    await host.accepted("session:sync");
    await host.refused("DECK_IN_USE", "session:configure", { deck: "t-shirt" });
    await host.accepted("countdown:cancel");
    await host.accepted("session:configure", { anonymous: true, deck: "t-shirt", force: true, password: "open sesame" });
    await ann.accepted("vote:submit", { storyId, value: "M" });
    await host.accepted("cards:reveal");
    await host.accepted("session:sync");
    await host.accepted("history:get", {});
    await host.accepted("session:lock", { locked: true });
    await host.refused("INVALID_DECK", "session:configure", { deck: { cards: ["1", "1"] } });

    await host.accepted("player:remove", { playerId: bobId, ban: true });
    await bob.hears("session:error");
    await host.accepted("player:transfer", { playerId: cleoId });
    await cleo.accepted("session:leave");
    await cleo.accepted("session:leave", { sessionId });
    ann.socket.disconnect();
    await host.hears("player:status_changed");
    await host.accepted("session:end");
    await host.hears("session:ended");
  });

  it("to somebody who does not listen", async () => {
    const { url } = await serve({ "rate_limits.history:get": 1, "limits.rejected_events_max": 5 });
    const host = new Client(url);
    await host.accepted("session:create", { name: "Loud", playerName: "Hanna" });
    await host.accepted("history:get");
    for (let i = 0; i < 3; i++) await host.refused("RATE_LIMITED", "history:get", {});
    for (let i = 0; i < 9; i++) host.socket.emit("history:get", {});
    await host.hears("rate:limit");
    await host.hears("connection:error");
  });

  it("and nothing that is described is left out", () => {
    assert.deepEqual([...new Set(wrong)], []);
    const unseen = Object.keys(catalogue.components.messages).filter((key) => !seen.has(key));
    // Is told minutes after the beginning, at the earliest.
    assert.deepEqual(unseen, ["server.session.expiring"]);
  });
});

describe("the catalogue", () => {
  it("is an AsyncAPI 3 document", () => {
    const require = createRequire(import.meta.url);
    const schema = require("@asyncapi/specs/schemas/3.0.0.json");
    // It brings the meta schema of JSON Schema along.
    const ajv = new Ajv({ strict: false, validateFormats: false, validateSchema: false, meta: false });
    const isValid = ajv.compile(schema);
    assert.ok(isValid(catalogue), JSON.stringify(isValid.errors?.slice(0, 5), null, 2));
  });

  it("is served as it is committed", async () => {
    const { url } = await serve();
    const response = await fetch(`${url}/api/v1/asyncapi.json`);
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.deepEqual(await response.json(), catalogue);
  });
});
