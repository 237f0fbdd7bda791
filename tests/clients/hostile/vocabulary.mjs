// What clients may say, read from the table that the server is built from, so
// that an event or a field that is added there is attacked here as well.

import { readFileSync } from "node:fs";

const API = new URL("../../../src/api/", import.meta.url);
const SOURCES = ["client_event.rs", "settings_edit.rs", "deck_choice.rs"];

const source = SOURCES.map((name) => readFileSync(new URL(name, API), "utf8")).join("\n");

const structs = new Map(
  [...source.matchAll(/pub struct (\w+) \{\n((?:\s+(?:\/\/\/.*|\w+ "\w+": .+,)\n)+)\s*\}/g)].map(
    ([, name, body]) => [name, [...body.matchAll(/\w+ "(\w+)": (.+),/g)].map(
      ([, field, type]) => ({ field, type }))],
  ),
);

/** name → its fields, each `{field, type}`. */
export const EVENTS = new Map(
  [...source.matchAll(/^ {4}\w+\((?:Box<)?(\w+)>?\) "([a-z:-]+)" \d+ => .+;/gm)].map(
    ([, payload, name]) => [name, structs.get(payload)],
  ),
);

const text = (right, tooLong) => ({
  right: JSON.stringify(right),
  wrong: ["true", "[]", "{}", '["x"]', '{"x":1}', '""', ...(tooLong ? [JSON.stringify(tooLong)] : [])],
});
const typed = (...args) => {
  const it = text(...args);
  return { ...it, wrong: [...it.wrong, "5", "-1.5"] };
};
const number = (right, ...beyond) => ({
  right: String(right),
  wrong: ["true", "[]", "{}", '"1"', '""', "1.5", ...beyond.map(String)],
});
const x = (count) => "x".repeat(count);
const UUID = "6f0f4b3e-5e1c-4c62-9a3f-0d9b3d1b7c11";
const BEYOND_INTEGERS = ["99999999999999999999", "1e999", "-1e999"];

/** By Rust type: a right value, and wrong ones, as JSON. */
const TYPES = {
  RequestId: typed("r-1", x(65)),
  SessionText: typed("nobodys", x(65)),
  SessionName: typed("Name", x(101)),
  PlayerName: typed("Name", x(51)),
  Avatar: typed("cat", x(33)),
  PlayerId: typed(UUID, UUID.replaceAll("-", "")),
  // An empty one is a token that is not ours.
  TokenText: { right: '"x"', wrong: ["true", "[]", "{}", "5"] },
  "Confidential<1, 128>": typed("pass", x(129)),
  "Opaque<1, 64>": typed("mine", x(65)),
  "Opaque<1, 50>": typed("mine", x(51)),
  "Opaque<1, 32>": typed("mine", x(33)),
  StoryId: typed("s1", x(65)),
  StoryTitle: typed("Title", x(201)),
  StoryKey: typed("KEY-1", x(41)),
  Link: typed("https://example.org/1", `https://example.org/${x(500)}`),
  Emoji: typed("👍", "x"),
  ImportFormat: typed("lines", "xml"),
  OnExpire: typed("none", "explode"),
  Preset: typed("open", "closed"),
  "Nullable<FinalEstimate>": typed("L", x(11)),
  // These may be empty.
  Description: { right: '""', wrong: ["true", "[]", "{}", "5", JSON.stringify(x(2_001))] },
  ImportText: { right: '"a"', wrong: ["true", "[]", "{}", "5"] },
  // A number is taken for its text.
  CardText: text("5", x(11)),
  bool: { right: "true", wrong: ["1", "0", '"true"', '""', "[]", "{}"] },
  u16: number(5, -1, 65_536, ...BEYOND_INTEGERS),
  u32: number(5, -1, 2 ** 32, ...BEYOND_INTEGERS),
  i64: number(5, ...BEYOND_INTEGERS),
  RoundId: number(1, -1, 2 ** 32, ...BEYOND_INTEGERS),
  Confidence: number(3, 0, 6, -1, ...BEYOND_INTEGERS),
  TimerSeconds: number(60, 0, 3_601, -1, ...BEYOND_INTEGERS),
  ExtraSeconds: number(60, -601, 601, ...BEYOND_INTEGERS),
  Threshold: { right: "0.8", wrong: ["true", "[]", "{}", '"0.8"', "0.5", "1.01", "0.805", ...BEYOND_INTEGERS] },
  PasswordEdit: { right: "null", wrong: ["true", "[]", "{}", "5", '"abc"', JSON.stringify(x(129))] },
  NewPassword: typed("pass", x(129)),
  DeckChoice: { right: '"fibonacci"', wrong: ["true", "5", "[]", "{}", '"no deck"', '{"cards":5}', '{"cards":[[]]}', '{"cards":["1","2"],"name":5}'] },
  SettingsEdit: { right: "{}", wrong: ["true", "5", "[]", '"x"', '{"autoReveal":"yes"}', '{"permissions":{"reveal":"nobody"}}'] },
  PermissionsEdit: { right: "{}", wrong: ["true", "5", "[]", '"x"', '{"timer":5}'] },
  NewStory: { right: '{"title":"T"}', wrong: ["true", "5", "[]", '"x"', "{}", '{"title":5}', '{"title":"T","description":[]}'] },
};

const unwrapped = (type) => type.match(/^Option<(.+)>$/)?.[1] ?? type;
const mayBeNull = (type) => /^(Option|Nullable)</.test(type) || type === "PasswordEdit";
const mayBeMissing = (type) => type.startsWith("Option<") || type === "PasswordEdit";

/** Every wrong value of every field: `{event, field, json}`, `json` the payload. */
export function* wrongFields() {
  for (const [event, fields] of EVENTS) {
    const right = fields.filter(({ type }) => !mayBeMissing(type));
    const payload = (field, value) => {
      const others = right.filter((other) => other.field !== field);
      const pairs = others.map((other) => [other.field, kind(other.type).right]);
      if (value !== undefined) pairs.push([field, value]);
      return `{${pairs.map(([name, json]) => `"${name}":${json}`).join(",")}}`;
    };
    for (const { field, type } of fields) {
      for (const value of kind(type).wrong) yield { event, field, json: payload(field, value) };
      if (!mayBeNull(type)) yield { event, field, json: payload(field, "null") };
      if (!mayBeMissing(type)) yield { event, field, json: payload(field, undefined) };
      const twice = payload(field, kind(type).right).replace(/}$/, `,"${field}":${kind(type).right}}`);
      yield { event, field, json: twice };
    }
  }
}

function kind(type) {
  const known = TYPES[unwrapped(type)];
  if (!known) throw new Error(`say in vocabulary.mjs what is wrong for ${type}`);
  return known;
}
