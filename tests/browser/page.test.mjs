// The page as it is served: its size, its rules, and how soon it is there.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { open, PHONE } from "./support/people.mjs";

const DIST = fileURLToPath(new URL("../../web/page/dist", import.meta.url));
const SOURCES = fileURLToPath(new URL("../../web/page/src", import.meta.url));
const PAGE_BYTES_MAX = 60 * 1024;
/** "Good" is up to 0.1; this page has no reason to move at all. */
const SHIFT_MAX = 0.01;

const house = await open({ "page.frame_ancestors": '["https://wiki.example.org"]' });
const files = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => `${one.parentPath}/${one.name}`);

it("all of it together stays below 60 KB", (t) => {
  const plain = files(DIST).filter((name) => !/\.(gz|br)$/.test(name));
  const sizes = plain.map((name) => [name.slice(DIST.length + 1), name.endsWith(".woff2") ? readFileSync(name).length : gzipSync(readFileSync(name), { level: 9 }).length]);
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  for (const [name, size] of sizes) t.diagnostic(`${name}: ${size} B gzip`);
  t.diagnostic(`the page: ${total} B gzip, limit ${PAGE_BYTES_MAX}`);
  assert.ok(total <= PAGE_BYTES_MAX);
});

it("no source writes markup, styles or scripts from text", () => {
  const banned = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySetInnerHTML|\beval\(|new Function|srcdoc|https?:\/\/(?!")[a-z]/;
  for (const name of files(SOURCES).filter((one) => /\.(tsx?|css)$/.test(one))) {
    for (const [index, line] of readFileSync(name, "utf8").split("\n").entries()) {
      assert.doesNotMatch(line, banned, `${name}:${index + 1}`);
    }
  }
});

it("the document says who may do what", async () => {
  const answer = await fetch(house.server.url);
  assert.equal(answer.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  assert.equal(answer.headers.get("referrer-policy"), "no-referrer");
  assert.equal(answer.headers.get("cache-control"), "no-cache");
  const policy = answer.headers.get("content-security-policy");
  for (const rule of ["default-src 'self'", "base-uri 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'", "frame-ancestors https://wiki.example.org"]) {
    assert.ok(policy.includes(rule), rule);
  }
  assert.doesNotMatch(policy, /unsafe|data:|\*/);

  const again = await fetch(house.server.url, { headers: { "if-none-match": answer.headers.get("etag") } });
  assert.equal(again.status, 304);
  const script = /src="\.?(\/assets\/[^"]+\.js)"/.exec(await answer.text())[1];
  for (const [coding, sent] of [
    ["gzip", "gzip"],
    ["br, gzip", "br"],
    ["identity", null],
  ]) {
    const file = await fetch(house.server.url + script, { headers: { "accept-encoding": coding } });
    assert.equal(file.headers.get("content-encoding"), sent);
    assert.match(file.headers.get("cache-control"), /max-age=31536000, immutable/);
    assert.match(file.headers.get("content-type"), /javascript/);
    assert.match(file.headers.get("vary"), /accept-encoding/);
  }
  assert.equal((await fetch(`${house.server.url}/assets/none.js`)).status, 404);
  assert.equal((await fetch(`${house.server.url}/assets/../Cargo.toml`)).status, 404);
});

it("trusted types hold in the browser", async () => {
  const somebody = await house.person();
  await somebody.page.goto(somebody.url);
  const refused = await somebody.page.evaluate(() => {
    try {
      document.body.innerHTML = "<b>text</b>";
      return false;
    } catch (error) {
      return error instanceof TypeError;
    }
  });
  assert.equal(refused, true);
  // It was us.
  somebody.problems.length = 0;
});

it("it is there soon, and nothing moves", async (t) => {
  for (const [name, viewport] of Object.entries({ wide: {}, phone: PHONE })) {
    const somebody = await house.person(viewport);
    await somebody.page.addInitScript(() => {
      window.shift = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
      }).observe({ type: "layout-shift", buffered: true });
      new PerformanceObserver((list) => void (window.largest = list.getEntries().at(-1).startTime)).observe({ type: "largest-contentful-paint", buffered: true });
    });
    const start = Date.now();
    await somebody.page.goto(somebody.url);
    await somebody.page.getByLabel("Your name").fill("Hanna");
    await somebody.page.waitForTimeout(500);
    const paint = await somebody.page.evaluate(() => ({
      first: performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
      largest: window.largest,
      shift: window.shift,
      bytes: performance.getEntriesByType("resource").reduce((sum, entry) => sum + entry.transferSize, 0),
    }));
    t.diagnostic(`${name}: first paint ${Math.round(paint.first)} ms, largest ${Math.round(paint.largest)} ms, layout shift ${paint.shift.toFixed(4)}, ${paint.bytes} B fetched besides the document`);
    assert.ok(paint.shift <= SHIFT_MAX, `layout shift ${paint.shift}`);

    // From the opened page to the copied link: page.md gives it ten seconds.
    await somebody.press("Create session");
    await somebody.press("Invite");
    await somebody.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    // "Copied" stands there for a moment only.
    await Promise.all([somebody.button("Copied").waitFor(), somebody.press("Copy link")]);
    const copied = await somebody.page.evaluate(() => navigator.clipboard.readText());
    assert.equal(copied, somebody.page.url());
    const shift = await somebody.page.evaluate(() => window.shift);
    t.diagnostic(`${name}: link copied after ${Date.now() - start} ms, layout shift until then ${shift.toFixed(4)}`);
    assert.ok(shift <= SHIFT_MAX, `layout shift ${shift}`);
  }
});
