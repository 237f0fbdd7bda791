// The voice of the page: one sentence every two seconds, one at once.

import { Store } from "./store";

export const polite = new Store("");
export const assertive = new Store("");

/** So that a table of twelve does not talk without end. */
const PAUSE_MS = 2_000;
const WAITING_MAX = 6;

let waiting: (() => string)[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

/** Said when its turn comes; made only then, from what is true by then. */
export function say(sentence: () => string): void {
  waiting = [...waiting, sentence].slice(-WAITING_MAX);
  timer ??= setTimeout(speak, PAUSE_MS);
}

export function sayNow(sentence: string): void {
  waiting = [];
  // The same words again are news as well.
  assertive.set(assertive.value === sentence ? `${sentence} ` : sentence);
}

function speak(): void {
  timer = undefined;
  const sentences = [...new Set(waiting.map((make) => make()))];
  waiting = [];
  if (sentences.length > 0) polite.set(sentences.join(" "));
}
