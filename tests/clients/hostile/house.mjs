// A server under attack, with people at its tables who must not notice.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

import { Client, Tape } from "../secrecy/client.mjs";
import { Server } from "../secrecy/server.mjs";
import { http } from "./raw.mjs";

const PATIENCE_MS = 30_000;
/** A busy machine may take a while to accept a connection. */
const QUIET_LOOKS = 20;

export class House {
  static async open(settings) {
    const house = new House();
    house.server = await Server.start(settings);
    // One plays in the session under attack, the other in one of its own.
    house.near = await Bystander.seat(house.server, "websocket");
    house.far = await Bystander.seat(house.server, "polling");
    await http(house.server, "/healthz");
    house.openFiles = await house.#quietFiles();
    return house;
  }

  get sessionId() {
    return this.near.sessionId;
  }

  /** Both bystanders play on, at any time. */
  async playOn() {
    await Promise.all([this.near.play(), this.far.play()]);
  }

  /** The end: nothing was lost, leaked or broken. */
  async close() {
    try {
      await this.#isUnharmed();
    } finally {
      this.near.close();
      this.far.close();
      await this.server.stop();
    }
    assert.doesNotMatch(this.server.log, /panicked/);
    assert.doesNotMatch(this.server.log, / ERROR /);
  }

  async #isUnharmed() {
    await this.playOn();
    await Promise.all([this.near.hasMissedNothing(), this.far.hasMissedNothing()]);
    assert.equal((await http(this.server, "/healthz")).status, 200);
    const deadline = Date.now() + PATIENCE_MS;
    while (this.openFiles < this.server.openFiles && Date.now() < deadline) await pause(20);
    assert.ok(this.server.openFiles <= this.openFiles,
      `${this.server.openFiles} open files, ${this.openFiles} before`);
    assert.ok(this.server.isRunning);
  }

  /** How many files are open when nothing but the bystanders is there, and a poll of theirs is parked. */
  async #quietFiles() {
    let files = this.server.openFiles;
    for (let equal = 0; equal < QUIET_LOOKS; equal += 1) {
      await pause(50);
      if (files === this.server.openFiles) continue;
      files = this.server.openFiles;
      equal = 0;
    }
    return files;
  }
}

/** Somebody who votes, and to whom every change of the session is told. */
class Bystander {
  #seq;
  #votes = 0;

  static async seat(server, transport) {
    const bystander = new Bystander();
    bystander.client = await new Client(new Tape(), "bystander", server.url, transport).connect();
    const joined = bystander.client.next("session:joined");
    await bystander.client.ok("session:create", {
      name: "Quiet", playerName: "Bystander", settings: { maxPlayers: 200 },
    });
    const { sessionId, snapshot } = await joined;
    Object.assign(bystander, { sessionId, storyId: snapshot.currentStory.id });
    bystander.#seq = snapshot.seq;
    bystander.client.socket.onAny((event, payload) => bystander.#told(event, payload));
    return bystander;
  }

  /** One vote, acknowledged, and told to the others at the table. */
  async play() {
    this.#votes += 1;
    const told = this.client.next("vote:submitted");
    const value = this.#votes % 2 ? "5" : "8";
    const ack = await this.client.ok("vote:submit", { storyId: this.storyId, value });
    assert.equal(ack.value, value);
    await told;
  }

  async hasMissedNothing() {
    const { snapshot } = await this.client.ok("session:sync", {});
    assert.equal(this.#seq, snapshot.seq, "the last change was told");
    assert.deepEqual(this.gaps, []);
    assert.equal(snapshot.you.vote.value, this.#votes % 2 ? "5" : "8");
  }

  gaps = [];

  close() {
    this.client.close();
  }

  #told(event, payload) {
    if (typeof payload?.seq !== "number") return;
    if (payload.seq > this.#seq + 1) this.gaps.push(`${event}: ${this.#seq} → ${payload.seq}`);
    this.#seq = Math.max(this.#seq, payload.seq);
  }
}
