// The own vote as it is shown. The client carries it to the server, again and
// again if need be; here it waits a moment for a better choice, and it is told
// what has become of it.

import type { Confidence, Table } from "cardroom-client";

import { Store } from "../ui/store";
import { isFailure } from "./failure";

export interface BallotView {
  card: string | null;
  confidence: Confidence | null;
  /** `none`: nothing chosen; `kept`: the server has it. */
  fate: "none" | "sending" | "later" | "kept";
  /** Local milliseconds; `null` while it waits for the connection. */
  retryAt: number | null;
  /** The choice was dropped because the round went on without it. */
  isStale: boolean;
}

interface Choice {
  card: string | null;
  confidence: Confidence | null;
}

/** Walking through the deck is one vote, not ten. */
const DEBOUNCE_MS = 250;
const NOTHING: BallotView = { card: null, confidence: null, fate: "none", retryAt: null, isStale: false };
const VOTES = new Set(["vote:submit", "vote:change", "vote:retract"]);

export class Ballot {
  readonly state = new Store<BallotView>(NOTHING);
  readonly #table: Table;
  /** Chosen, and not yet handed to the client. */
  #choice: Choice | null = null;
  #round: number | undefined;
  #retryAt: number | null = null;
  #isStale = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(table: Table) {
    this.#table = table;
    table.on("rate:limit", ({ event, retryAfter }) => {
      if (!VOTES.has(event)) return;
      this.#retryAt = Date.now() + retryAfter * 1_000;
      this.follow();
    });
    this.follow();
  }

  choose(card: string): void {
    const { confidence } = this.state.value;
    if (this.state.value.card !== card) this.#want({ card, confidence });
  }

  rate(confidence: Confidence): void {
    const { card } = this.state.value;
    if (card !== null) this.#want({ card, confidence });
  }

  clear(): void {
    if (this.state.value.card !== null) this.#want({ card: null, confidence: null });
  }

  /** Called whenever the table or its connection changes. */
  follow(): void {
    const { state, connection } = this.#table;
    if (!state) return;
    if (this.#round !== state.round.roundId) {
      // Of another round, and never for this one.
      this.#isStale = this.#isStale || this.#choice !== null;
      this.#choice = null;
      clearTimeout(this.#timer);
      this.#round = state.round.roundId;
    }
    const { myVote } = state;
    const chosen = this.#choice ?? { card: myVote?.value ?? null, confidence: myVote?.confidence ?? null };
    if (chosen.card !== null || this.#choice) this.#isStale = false;
    const isWaiting = this.#choice !== null || myVote?.saved === false;
    if (!isWaiting) this.#retryAt = null;
    const isHeld = connection.status !== "online" || (this.#retryAt !== null && Date.now() < this.#retryAt);
    const fate = isWaiting ? (isHeld ? "later" : "sending") : chosen.card === null ? "none" : "kept";
    const next = { ...chosen, fate, retryAt: this.#retryAt, isStale: this.#isStale } as const;
    const now = this.state.value;
    if ((Object.keys(next) as (keyof BallotView)[]).some((key) => now[key] !== next[key])) this.state.set(next);
  }

  #want(choice: Choice): void {
    this.#choice = choice;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#cast(), DEBOUNCE_MS);
    this.follow();
  }

  async #cast(): Promise<void> {
    const choice = this.#choice;
    if (!choice) return;
    this.#choice = null;
    try {
      await (choice.card === null ? this.#table.retractVote() : this.#table.vote(choice.card, choice.confidence ?? undefined));
    } catch (error) {
      this.#isStale = isFailure(error) && STALE.has(error.code);
    }
    this.follow();
  }
}

const STALE = new Set(["STALE_ROUND", "STALE_STORY", "ROUND_REVEALED"]);
