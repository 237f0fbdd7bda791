// What the parsers of the reference implementation make of generated messages:
// one line of JSON per case, for tests/wire/parsers.rs to compare.
//
//   node parsers.mjs SEED SOCKET_IO_CASES ENGINE_IO_CASES
//
// A case is a list of messages, text or binary. Its packets are those decoded
// before the first error, each with the message that completed it (or the
// number of all messages, if none did).

import { once } from "node:events";

import { decodePayload } from "engine.io-parser";
import { Decoder, Encoder, PacketType } from "socket.io-parser";

import { Random } from "./chaos/random.mjs";

/** Deeper data is not told: whoever reads this may not be able to. */
const TOLD_DEPTH_MAX = 100;
/** Lines that go out in one write. */
const BATCH = 500;

const [seed, socketIoCases, engineIoCases] = process.argv.slice(2).map(Number);
const random = new Random(seed);

// What is generated.

const NAMESPACES = ["/", "/", "/", "/a", "/custom", "/a-é/b", "/?x=1", "/x?token=y"];
const NAMES = ["message", "vote:submit", "é€😀", "", "a\"b", "\\", "0", "\u2028", "__proto__", 1, 0, -2.5, 1e21];
const RESERVED = ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];
const SCALARS = [null, true, false, 0, -0, 1, -1, 0.1, 1e300, 5e-324, 2 ** 53, -(2 ** 53) - 2, "", "x", "é", "😀",
  "\n\t\u0000\u001f", "\u007f\u2028\ufeff", "{\"_placeholder\":true}", "[".repeat(9)];
const KEYS = ["a", "b", "_placeholder", "num", "__proto__", "constructor", "toString", "length", "", "0", "é"];

function value(depth, buffers) {
  if (buffers && random.happens(0.2)) return Buffer.from(bytes(random.below(6)));
  if (depth === 0 || random.happens(0.5)) return random.one(SCALARS);
  const items = Array.from({ length: random.below(4) }, () => value(depth - 1, buffers));
  if (random.happens(0.5)) return items;
  return Object.fromEntries(items.map((item) => [random.one(KEYS), item]));
}

const bytes = (length) => Uint8Array.from({ length }, () => random.below(256));

/** As a client of ours would write it. */
function valid() {
  const nsp = random.one(NAMESPACES);
  const id = random.happens(0.4) ? random.one([0, 1, 7, 12, 4_294_967_296, 2 ** 53 - 1]) : undefined;
  const data = Array.from({ length: random.below(4) }, () => value(3, random.happens(0.3)));
  const packet = random.one([
    { type: PacketType.CONNECT, nsp, data: random.happens(0.5) ? { token: value(2) } : undefined },
    { type: PacketType.DISCONNECT, nsp },
    { type: PacketType.EVENT, nsp, id, data: [random.one(NAMES), ...data] },
    { type: PacketType.EVENT, nsp, id, data: [random.one(NAMES), ...data] },
    { type: PacketType.EVENT, nsp, id, data: [random.one(NAMES), ...data] },
    { type: PacketType.ACK, nsp, id: id ?? random.below(100), data },
  ]);
  return new Encoder().encode(packet);
}

const PIECES = ["0", "1", "2", "3", "4", "5", "6", "7", "9", "-", "/", ",", "[", "]", "{", "}", ":", '"', "\\", " ", "\t", "\n",
  "e", "E", ".", "+", "x", "null", "true", "\u0000", "\u00a0", "\ufeff", "é", "😀", '"a"', "1-", "10-", "11-",
  '{"_placeholder":true,"num":0}', '{"_placeholder":true,"num":1}', '\\ud800', '\\u0041', "1e400"];

function mutated() {
  const messages = valid();
  for (let edits = 1 + random.below(4); edits > 0; edits -= 1) {
    const at = random.below(messages.length);
    if (typeof messages[at] !== "string" || random.happens(0.1)) {
      random.one([
        () => messages.splice(at, 1),
        () => messages.splice(at, 0, Buffer.from(bytes(3))),
        () => messages.splice(at, 0, valid()[0]),
        () => messages.reverse(),
      ])();
      if (messages.length === 0) messages.push("");
      continue;
    }
    // By code points: a lone surrogate is no text that could arrive.
    const points = [...messages[at]];
    const place = random.below(points.length + 1);
    const removed = random.one([0, 0, 1, 1, 2, points.length]);
    points.splice(place, removed, ...(random.happens(0.7) ? [random.one(PIECES)] : []));
    messages[at] = points.join("");
  }
  return messages;
}

const nested = (depth) => "[".repeat(depth) + "]".repeat(depth);
const binary = () => Buffer.from(bytes(2));

/** Each template is a way in which somebody once went wrong, or meant to. */
const HOSTILE = [
  () => [""],
  () => [random.one([" ", "\t", "\u00a0"]) + valid()[0]],
  () => [`${random.one("2356")}${"9".repeat(1 + random.below(400))}["a"]`],
  () => [`2${random.one(["9007199254740991", "9007199254740992", "18446744073709551616"])}["a"]`],
  () => [`2${random.one([" ", "\n", "\u00a0", "1 2", " 7"])}["a"]`],
  () => [`2${nested(random.one([1, 62, 63, 64, 65, 66, 500, 3_000]))}`],
  () => [`2["a",${nested(random.one([1, 60, 62, 63, 64, 65, 66, 500]))}]`],
  () => [`2["a",{"a":${nested(random.one([60, 61, 62, 63]))}}]`],
  () => [`0/${"n".repeat(random.one([1, 100, 126, 127, 128, 129, 5_000]))},`],
  () => [`2/${"n".repeat(random.one([1, 127, 128, 500]))},["a"]`],
  () => [`2["${random.one(RESERVED)}",1]`],
  () => [`2["${random.one(["\\ud800", "a\\udc00b", "\\ud83d\\ude00", "\\u0063onnect", "\\u0000"])}",1]`],
  () => [`2["a","${random.one(["\\ud800", "\\udc00\\ud800", "\\uD83D\\uDE00", "\\u0000"])}"]`],
  () => [`2[${random.one(["1e400", "-1e400", "1e-400", "01", "-0", "0.0", "1.", ".5", "1e5", "NaN", "Infinity"])}]`],
  () => [`2["a",${random.one(["1e400", "-1e999", "1e-999", "1E+2", "12345678901234567890", "0x10", "+1"])}]`],
  () => [`2["a",{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}]`],
  () => [`2["a",{"x":1,"x":${random.below(9)}}]`],
  () => [`0{"__proto__":{"polluted":1}}`],
  () => [`0${random.one(["[]", "null", "1", '"x"', "true", "{}", "{", "[{}]", " {}", "{} "])}`],
  () => [`1${random.one(["{}", "[]", "null", "/a", "/a,", "/a,1", "5"])}`],
  () => [`4${random.one(['{"message":"x"}', '"x"', "[]", "/a,{}", ""])}`],
  () => [`2${random.one(["", "{}", "[]", "[{}]", "[null]", "[[]]", "[true]", "null", '"a"'])}`],
  () => [`3${random.one(["[]", "5[]", "5{}", "5", "/a,5[1]", "/a,[1]", "5null"])}`],
  () => [`5${random.one(["1-", "01-", "1e0-", "0x1-", "1.0-", "+1-", " 1-", "-1-", "-", "0-", "11-", "10-", "", "1"])}["a"]`, binary()],
  () => {
    const count = 1 + random.below(12);
    const holes = Array.from({ length: count }, (_, num) => ({ _placeholder: true, num }));
    return [`5${count}-${JSON.stringify(["a", ...holes])}`, ...holes.map(binary)];
  },
  () => [`51-["a",{"_placeholder":true,"num":${random.one(["0", "1", "-1", "-0", "0.0", "0.5", "1e0", '"0"', "null", "9e99"])}}]`, binary()],
  () => [`51-["a",{"_placeholder":${random.one(["true", "false", "1", '"true"', "null"])},"num":0}]`, binary()],
  () => [`52-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`, binary(), binary()],
  () => [`51-5["a",{"x":[{"_placeholder":true,"num":0,"more":{"_placeholder":true,"num":7}}]}]`, binary()],
  () => [`51-["a",${random.one(["1e400", "-1e999"])},{"_placeholder":true,"num":0}]`, binary()],
  () => [`61-5[{"_placeholder":true,"num":0}]`, binary()],
  () => [`61-[{"_placeholder":true,"num":0}]`, binary()],
  () => [`51-["a"]`, "2[\"b\"]"],
  () => [`51-["a"]`, binary(), binary()],
  () => [binary()],
  () => [`51-["a"`, binary()],
  () => [`51-{}`, binary()],
  () => [`51-`, binary()],
  () => Array.from({ length: 1 + random.below(3) }, () => valid()).flat(),
];

function socketIoCase() {
  const kind = random.draw();
  if (kind < 0.4) return valid();
  return kind < 0.8 ? mutated() : random.one(HOSTILE)();
}

const BASE64 = ["", "AQID", "AQI=", "AQ==", "AQ", "AQI", "AR==", "A", "AQ=", "-_8=", "+/8=", "AQ ID", "AQID=", "é", "=="];
const PACKETS = ["4x", "4", "2", "3", "0", "1", "5", "6", "2probe", "3probe", "7", "9x", "", "b", "a", "x", " 4", "é", "4\u0000", "bb"];

function engineIoPayload() {
  const packets = Array.from({ length: 1 + random.below(5) }, () =>
    random.happens(0.3) ? `b${random.one(BASE64)}` : random.happens(0.3) ? `4${valid()[0]}` : random.one(PACKETS));
  return packets.join("\x1e") + (random.happens(0.05) ? "\x1e" : "");
}

// What is told.

const told = (message) => (typeof message === "string" ? { text: message } : { binary: message.toString("base64") });

/** Buffers as what JSON can hold; nothing of JSON looks like it. */
function plain(data) {
  if (Buffer.isBuffer(data)) return { " binary": data.toString("base64") };
  if (Array.isArray(data)) return data.map(plain);
  if (typeof data === "number" && !Number.isFinite(data)) return { " number": String(data) };
  if (typeof data === "string") return data.toWellFormed();
  if (data === null || typeof data !== "object") return data;
  const object = Object.create(null);
  for (const key of Object.keys(data)) object[key.toWellFormed()] = plain(data[key]);
  return object;
}

function depth(data) {
  let deepest = 0;
  const waiting = [[data, 1]];
  while (waiting.length > 0) {
    const [item, level] = waiting.pop();
    if (item === null || typeof item !== "object" || Buffer.isBuffer(item)) continue;
    deepest = Math.max(deepest, level);
    for (const inner of Object.values(item)) waiting.push([inner, level + 1]);
  }
  return deepest;
}

function socketIo() {
  const messages = socketIoCase();
  const decoder = new Decoder();
  const packets = [];
  let at = 0;
  const note = (at, { type, nsp, id, data }) => {
    const deep = depth(data);
    packets.push({ at, type, nsp, id, deep, data: TOLD_DEPTH_MAX < deep ? null : plain(data) });
  };
  decoder.on("decoded", (packet) => note(at, packet));
  let error;
  for (; at < messages.length && error === undefined; at += 1) {
    try {
      decoder.add(messages[at]);
    } catch (thrown) {
      error = { at, why: thrown.message };
    }
  }
  // One that still waits for attachments has been taken so far.
  if (decoder.reconstructor) note(messages.length, decoder.reconstructor.reconPack);
  return { messages: messages.map(told), packets, error };
}

function engineIo() {
  const payload = engineIoPayload();
  const packets = decodePayload(payload, "nodebuffer").map(({ type, data }) =>
    Buffer.isBuffer(data) ? { type: "binary", data: data.toString("base64") } : { type, data: data ?? "" });
  return { payload, packets };
}

async function tell(count, make) {
  for (let written = 0; written < count; written += BATCH) {
    const lines = Array.from({ length: Math.min(BATCH, count - written) }, () => JSON.stringify(make()));
    if (!process.stdout.write(`${lines.join("\n")}\n`)) await once(process.stdout, "drain");
  }
}

await tell(socketIoCases, socketIo);
await tell(engineIoCases, engineIo);
if ({}.polluted !== undefined) throw new Error("the reference parser was polluted");
