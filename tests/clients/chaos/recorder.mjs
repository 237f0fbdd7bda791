// The history of one process: a JSON line for everything that a client did or
// saw, with the monotonic clock that all processes of a machine share.

import { closeSync, openSync, writeSync } from "node:fs";

const FLUSH_BYTES = 64 * 1024;
/** Payloads that are remembered as written, before they are written again. */
const BODIES_MAX = 20_000;

export class Recorder {
  #file;
  #lines = [];
  #bytes = 0;
  #bodies = new Map();
  #nextBody = 0;

  constructor(path) {
    this.#file = openSync(path, "w");
  }

  /** Nanoseconds of CLOCK_MONOTONIC. */
  now() {
    return Number(process.hrtime.bigint());
  }

  write(client, kind, fields = {}) {
    const t = this.now();
    this.#line(JSON.stringify({ t, c: client, k: kind, ...fields }));
    return t;
  }

  /** As `write`, for a payload that a whole room hears: kept once, by number. */
  writeBody(client, kind, payload, fields = {}) {
    const text = JSON.stringify(payload);
    let body = this.#bodies.get(text);
    if (body === undefined) {
      if (BODIES_MAX <= this.#bodies.size) this.#bodies.clear();
      body = this.#nextBody++;
      this.#bodies.set(text, body);
      this.#line(`{"k":"body","b":${body},"p":${text}}`);
    }
    return this.write(client, kind, { ...fields, b: body });
  }

  #line(line) {
    this.#lines.push(line);
    this.#bytes += line.length;
    if (FLUSH_BYTES <= this.#bytes) this.flush();
  }

  flush() {
    if (this.#lines.length === 0) return;
    writeSync(this.#file, `${this.#lines.join("\n")}\n`);
    this.#lines = [];
    this.#bytes = 0;
  }

  close() {
    this.flush();
    closeSync(this.#file);
  }
}
