// Merges every received payload into an object as careless code does, key by
// key and deep. Reads lines of JSON from the file that is named.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

function merge(target, source) {
  for (const key of Object.keys(source)) {
    const value = source[key];
    if (value !== null && typeof value === "object") {
      if (target[key] === undefined || target[key] === null) target[key] = {};
      merge(target[key], value);
    } else {
      target[key] = value;
    }
  }
}

const lines = readFileSync(process.argv[2], "utf8").trim().split("\n");
for (const line of lines) merge({}, JSON.parse(line));
assert.equal({}.polluted, undefined);
assert.deepEqual(Object.keys(Object.prototype), []);

// And it would have been noticed.
merge({}, JSON.parse('{"__proto__":{"polluted":1}}'));
assert.equal({}.polluted, 1);
console.log(`${lines.length} payloads`);
