// Makes two runs of one scenario comparable: what legitimately differs from
// run to run, ids and times, is replaced; everything else stays as it is.

/** Ids and secrets, each numbered by its first appearance. */
const IDS = [
  ["token", /cr1\.[\w-]+\.[\w-]+\.[\w-]+/g],
  ["player", /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g],
  ["sid", /(?<="sid":")[\w-]+(?=")/g],
  ["pid", /(?<="pid":")[\w-]+(?=")/g],
  ["socket", /(?<=\bsocket\.id=)[\w-]+/g],
  ["instance", /(?<=\binstance=)[0-9a-f]{16}/g],
  // The last argument of an event: its place in the log, with a random part.
  ["offset", /(?<=,")[0-9a-f]{1,16}-[0-9a-f]{1,16}(?:\.[0-9a-f]{1,8}(?:-[0-9a-f]{1,16})?)?(?="\]$)/g],
  ["address", /127\.0\.0\.1:\d+/g],
];
/** Moments, which have no identity. */
const TIMES = [
  ["<iso>", /\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g],
  ["<ms>", /\b1[5-9]\d{11}\b/g],
];

/** A list that the server orders by ids, and ids are random. */
const BY_ID = /(?<="votedPlayerIds":)\[[^\]]+\]/g;

/**
 * The streams of a run with ids and times replaced. `known` names further
 * ids that have no shape of their own: text → kind.
 */
export function canonical(streams, known = new Map()) {
  const numbers = new Map();
  const counts = new Map();
  const numbered = (kind) => (text) => {
    if (!numbers.has(text)) {
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      numbers.set(text, `<${kind} ${counts.get(kind)}>`);
    }
    return numbers.get(text);
  };
  const replace = (line) => {
    for (const [kind, shape] of IDS) line = line.replace(shape, numbered(kind));
    for (const [text, kind] of known) line = line.replaceAll(text, numbered(kind));
    for (const [name, shape] of TIMES) line = line.replace(shape, name);
    return line.replace(BY_ID, (list) => `[${list.slice(1, -1).split(",").sort().join(",")}]`);
  };
  return new Map([...streams].map(([name, lines]) => [name, lines.map(replace)]));
}

/** The first difference of two runs in words, or `null`. */
export function difference(one, other) {
  const names = new Set([...one.keys(), ...other.keys()]);
  for (const name of names) {
    const a = one.get(name) ?? [];
    const b = other.get(name) ?? [];
    for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
      if (a[index] === b[index]) continue;
      return `${name}, line ${index}:\n  ${excerpt(a[index], b[index])}\n  ${excerpt(b[index], a[index])}`;
    }
  }
  return null;
}

/** A line from shortly before the place where it differs from another. */
function excerpt(line = "(nothing)", other = "") {
  let at = 0;
  while (at < line.length && line[at] === other[at]) at += 1;
  return line.slice(Math.max(0, at - 120), at + 200);
}
