// Requests that no client makes: each has the status and the code that the
// documents name.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { UNLIMITED } from "../secrecy/server.mjs";
import { House } from "./house.mjs";
import { RawPolling, http, tcp } from "./raw.mjs";

/** Nobody who is good needs as long, however busy the machine is. */
const HEADER_TIMEOUT_MS = 3_000;
const KIB = 1_024;

let house;
before(async () => {
  house = await House.open({ ...UNLIMITED, "server.header_timeout_ms": HEADER_TIMEOUT_MS });
});
after(() => house.close());

const UPGRADE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};
const EVIL = { origin: "https://evil.example" };

describe("Engine.IO handshakes", () => {
  const REFUSED = {
    "no transport": ["EIO=4", {}, 400, 0],
    "an unknown transport": ["EIO=4&transport=smoke", {}, 400, 0],
    "two transports": ["EIO=4&transport=polling&transport=websocket", {}, 400, 0],
    "an unknown session": ["EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", {}, 400, 1],
    "a session that cannot be": ["EIO=4&transport=polling&sid=%00%ff..%2f", {}, 400, 1],
    "a handshake by POST": ["EIO=4&transport=polling", { method: "POST", body: "40" }, 400, 2],
    "a handshake by DELETE": ["EIO=4&transport=polling", { method: "DELETE" }, 400, 2],
    "a WebSocket that is none": ["EIO=4&transport=websocket", {}, 400, 3],
    "a foreign origin": ["EIO=4&transport=polling", { headers: EVIL }, 403, 4],
    "an old protocol": ["EIO=3&transport=polling", {}, 400, 5],
    "no protocol": ["transport=polling", {}, 400, 5],
  };
  for (const [what, [query, options, status, code]] of Object.entries(REFUSED)) {
    it(what, async () => {
      const answer = await http(house.server, `/socket.io/?${query}`, options);
      assert.equal(answer.status, status);
      assert.equal(JSON.parse(answer.body).code, code);
      await house.playOn();
    });
  }

  it("a method that nobody uses on a session", async () => {
    const polling = await RawPolling.connected(house.server);
    const answer = await http(house.server, polling.path, { method: "DELETE" });
    assert.deepEqual([answer.status, answer.body], [500, ""]);
    await polling.post("1");
  });
});

describe("WebSocket handshakes", () => {
  const path = "/socket.io/?EIO=4&transport=websocket";
  const REFUSED = {
    "an old protocol": [path.replace("4", "3"), UPGRADE, 400],
    "a foreign origin": [path, { ...UPGRADE, ...EVIL }, 403],
    "no key": [path, { ...UPGRADE, "sec-websocket-key": "" }, 400],
    "a key that is none": [path, { ...UPGRADE, "sec-websocket-key": "short" }, 400],
    "an unknown session": [`${path}&sid=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`, UPGRADE, 400],
    "another version": [path, { ...UPGRADE, "sec-websocket-version": "8" }, 426],
  };
  for (const [what, [where, headers, status]] of Object.entries(REFUSED)) {
    it(what, async () => {
      const answer = await http(house.server, where, { headers });
      assert.equal(answer.status, status, answer.body);
      await house.playOn();
    });
  }

  it("by POST", async () => {
    const answer = await http(house.server, path, { method: "POST", headers: UPGRADE });
    assert.equal(answer.status, 400);
  });
});

describe("HTTP itself", () => {
  const line = "GET /healthz HTTP/1.1\r\nHost: x\r\n";
  const ANSWERED = {
    "no HTTP": ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", /^HTTP\/1.1 400 |^$/],
    "a broken request line": ["GET\r\n\r\n", /^HTTP\/1.1 400 /],
    "a header without a name": [`${line}: x\r\n\r\n`, /^HTTP\/1.1 400 /],
    "NUL in a header": [`${line}X: a\0b\r\n\r\n`, /^HTTP\/1.1 400 /],
    "a header of 20 KiB": [`${line}X: ${"x".repeat(20 * KIB)}\r\n\r\n`, /^HTTP\/1.1 431 /],
    "a hundred headers": [`${line}${"X: y\r\n".repeat(100)}\r\n`, /^HTTP\/1.1 431 /],
    "two lengths": ["POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", /^HTTP\/1.1 400 /],
    "a length that is none": ["POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", /^HTTP\/1.1 400 /],
    "half a head": [line, /^(HTTP\/1.1 408 .*)?$/s],
    "nothing at all": ["", /^(HTTP\/1.1 408 .*)?$/s],
  };
  for (const [what, [bytes, answer]] of Object.entries(ANSWERED)) {
    it(what, async () => {
      assert.match(await tcp(house.server, Buffer.from(bytes, "latin1")), answer);
      await house.playOn();
    });
  }
});

describe("REST", () => {
  const JSON_TYPE = { "content-type": "application/json" };
  const post = (body, headers = JSON_TYPE) => ({ method: "POST", headers, body });
  const valid = '{"name":"N","playerName":"P"}';
  const deep = `{"name":${"[".repeat(100)}${"]".repeat(100)}}`;
  const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });
  const sessions = "/api/v1/sessions";
  const REFUSED = {
    "no JSON": [sessions, post("{"), 400, "BAD_REQUEST"],
    "a list": [sessions, post("[]"), 400, "BAD_REQUEST"],
    "nothing": [sessions, post(""), 400, "BAD_REQUEST"],
    "a field of the wrong type": [sessions, post('{"name":5}'), 400, "BAD_REQUEST"],
    "a deck of the wrong type": [sessions, post('{"name":"N","deck":5}'), 400, "BAD_REQUEST"],
    "a deck that is none": [sessions, post('{"name":"N","deck":{"cards":["1"]}}'), 400, "INVALID_DECK"],
    "half a surrogate pair": [sessions, post('{"name":"\\ud800"}'), 400, "BAD_REQUEST"],
    "bytes that are no UTF-8": [sessions, post(Buffer.from('{"name":"\xff"}', "latin1")), 400, "BAD_REQUEST"],
    "a hundred levels": [sessions, post(deep), 400, "BAD_REQUEST"],
    "another type": [sessions, post(valid, { "content-type": "text/plain" }), 415, "UNSUPPORTED_MEDIA_TYPE"],
    "64 KiB and a byte": [sessions, post("x".repeat(64 * KIB + 1)), 413, "PAYLOAD_TOO_LARGE"],
    "a foreign origin": [sessions, post(valid, { ...JSON_TYPE, ...EVIL }), 403, "ORIGIN_NOT_ALLOWED"],
    "a session that cannot be": [`${sessions}/%00%ff`, {}, 404, "SESSION_NOT_FOUND"],
    "a session that is not": [`${sessions}/ABCDEFGH`, {}, 404, "SESSION_NOT_FOUND"],
    "no token": [`${sessions}/ABCDEFGH/state`, {}, 401, "INVALID_PLAYER_TOKEN"],
    "a token that is none": [`${sessions}/ABCDEFGH/state`, bearer("cr1.x.y.z"), 401, "INVALID_PLAYER_TOKEN"],
    "a long token": [`${sessions}/ABCDEFGH/export`, bearer("x".repeat(8_000)), 401, "INVALID_PLAYER_TOKEN"],
    "a validation of nothing": [`${sessions}/validate`, post("{}"), 400, "BAD_REQUEST"],
  };
  for (const [what, [path, options, status, code]] of Object.entries(REFUSED)) {
    it(what, async () => {
      const answer = await http(house.server, path, options);
      assert.equal(answer.status, status, answer.body);
      assert.equal(answer.headers["content-type"], "application/problem+json");
      assert.equal(JSON.parse(answer.body).code, code);
      await house.playOn();
    });
  }

  it("paths and methods that are not there", async () => {
    for (const path of ["/..%2f..%2fetc/passwd", "/api/v1/sessions/x/y/z", "/api/v2", "//", "/%"]) {
      assert.equal((await http(house.server, path)).status, 404, path);
    }
    for (const method of ["PUT", "PATCH", "TRACE", "PROPFIND"]) {
      assert.equal((await http(house.server, sessions, { method })).status, 405, method);
    }
  });
});
