// The decks a session can begin with, as the server knows them by their ids.

import type { CardInfo as Card } from "cardroom-client";

const SPECIALS: Record<string, NonNullable<Card["special"]>> = { "?": "unknown", "☕": "break", "∞": "infinite" };

const cards = (labels: string): Card[] =>
  labels.split(" ").map((value) => ({ value, ...(SPECIALS[value] ? { special: SPECIALS[value] } : {}) }));

export const DECKS = [
  { id: "fibonacci", name: "Fibonacci", cards: cards("0 1 2 3 5 8 13 21 34 55 89 ? ☕ ∞") },
  { id: "modified-fibonacci", name: "Modified Fibonacci", cards: cards("0 0.5 1 2 3 5 8 13 20 40 100 ? ☕ ∞") },
  { id: "powers-of-two", name: "Powers of two", cards: cards("0 1 2 4 8 16 32 64 ? ☕") },
  { id: "t-shirt", name: "T-shirt sizes", cards: cards("XS S M L XL XXL ? ☕") },
  { id: "time", name: "Time", cards: cards("1h ½d 1d 2d 1w 2w ?") },
] as const;

export type DeckId = (typeof DECKS)[number]["id"];
