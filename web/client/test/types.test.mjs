// The README compiles, and what is wrong does not.

import { it } from "node:test";
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const BYTES_MAX = 10_000;

it("examples are accepted and wrong payloads are not", async () => {
  const folder = `${PACKAGE}test/.readme`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const readme = readFileSync(`${PACKAGE}README.md`, "utf8");
  const examples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code);
  assert.ok(5 <= examples.length);
  examples.forEach((code, index) => writeFileSync(`${folder}/example-${index + 1}.ts`, code));
  const failed = await tsc("--project", "tsconfig.test.json").catch(({ stdout }) => stdout);
  assert.equal(failed, "");
});

it("is small", () => {
  const parts = readdirSync(`${PACKAGE}dist`, { recursive: true }).filter((name) => name.endsWith(".js"));
  const code = parts.map((name) => readFileSync(`${PACKAGE}dist/${name}`, "utf8")).join("");
  const bytes = gzipSync(code.replace(/^\s*\/\*\*?[^]*?\*\/\n|^\s*\/\/.*\n/gm, "")).length;
  console.log(`cardroom-client without socket.io-client, not minified: ${bytes} bytes gzip`);
  assert.ok(bytes <= BYTES_MAX, `${bytes} bytes`);
});

async function tsc(...options) {
  const script = fileURLToPath(import.meta.resolve("typescript/package.json"));
  const { bin } = JSON.parse(readFileSync(script, "utf8"));
  const path = fileURLToPath(new URL(bin.tsc, `file://${script}`));
  const { stdout } = await promisify(execFile)(process.execPath, [path, ...options], { cwd: PACKAGE });
  return stdout;
}
