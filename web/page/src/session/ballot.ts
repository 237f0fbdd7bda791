// The own vote on its way. The last choice is what counts: it waits a moment
// for a better one, for the end of a rate limit, for the connection; and it is
// dropped when the round it was meant for is over.

import { Store } from "../ui/store";
import { isFailure, type Refusal } from "./failure";
import type { View } from "./types";

export interface BallotView {
  card: string | null;
  confidence: number | null;
  /** `none`: nothing chosen; `kept`: the server has it. */
  fate: "none" | "sending" | "later" | "kept";
  /** Local milliseconds; `null` while it waits for the connection. */
  retryAt: number | null;
  /** The choice was dropped because the round went on without it. */
  isStale: boolean;
}

/** What a ballot needs of the table. */
export interface Urn {
  vote(card: string, confidence: number | null, roundId: number): Promise<unknown>;
  retract(roundId: number): Promise<unknown>;
  isOnline(): boolean;
  view(): View;
}

const DEBOUNCE_MS = 250;
const NOTHING: BallotView = { card: null, confidence: null, fate: "none", retryAt: null, isStale: false };

export class Ballot {
  readonly state = new Store<BallotView>(NOTHING);
  #urn: Urn;
  #round: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOnTheWay = false;
  #isDirty = false;

  constructor(urn: Urn) {
    this.#urn = urn;
    this.#round = urn.view().round.roundId;
    this.follow();
  }

  choose(card: string): void {
    const { confidence } = this.state.value;
    if (this.state.value.card === card && this.state.value.fate === "kept") return;
    this.#want(card, confidence);
  }

  rate(confidence: number): void {
    if (this.state.value.card !== null) this.#want(this.state.value.card, confidence);
  }

  clear(): void {
    if (this.state.value.card !== null) this.#want(null, null);
  }

  /** Called whenever the table changes: own votes from elsewhere, new rounds. */
  follow(): void {
    const { round, you } = this.#urn.view();
    const isSameRound = round.roundId === this.#round;
    const isBusy = this.#isDirty || this.#isOnTheWay;
    if (!isSameRound) {
      const isStale = isBusy && this.state.value.card !== null;
      this.#round = round.roundId;
      this.#drop();
      this.#adopt(you.vote, isStale);
    } else if (round.phase === "revealed" && isBusy && !this.#urn.view().settings.allowChangeAfterReveal) {
      this.#drop();
      this.#adopt(you.vote, true);
    } else if (!isBusy) {
      this.#adopt(you.vote, this.state.value.isStale);
    }
  }

  /** The connection is back, or the server takes votes again. */
  retry(): void {
    if (this.#isDirty && !this.#isOnTheWay) this.#schedule(0);
  }

  #want(card: string | null, confidence: number | null): void {
    this.#isDirty = true;
    this.state.set({ card, confidence, fate: "sending", retryAt: null, isStale: false });
    this.#schedule(DEBOUNCE_MS);
  }

  #schedule(delay: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#send(), delay);
  }

  async #send(): Promise<void> {
    if (this.#isOnTheWay || !this.#isDirty) return;
    if (!this.#urn.isOnline()) return this.#later(null);
    const round = this.#round;
    const { card, confidence } = this.state.value;
    this.#isOnTheWay = true;
    this.#isDirty = false;
    let failure: Refusal | null = null;
    try {
      await (card === null ? this.#urn.retract(round) : this.#urn.vote(card, confidence, round));
    } catch (error) {
      failure = isFailure(error) ? error : { code: "INTERNAL", message: "" };
    }
    this.#isOnTheWay = false;
    if (this.#round !== round) return;
    if (this.#isDirty) return this.#schedule(failure?.retryAfter ? failure.retryAfter * 1_000 : 0);
    if (failure === null) {
      this.state.set({ ...this.state.value, fate: card === null ? "none" : "kept", retryAt: null });
      return;
    }
    switch (failure.code) {
      case "RATE_LIMITED":
      case "STATE_UNAVAILABLE":
      case "SERVER_BUSY":
        this.#isDirty = true;
        this.#later(Date.now() + (failure.retryAfter ?? 2) * 1_000);
        return this.#schedule((failure.retryAfter ?? 2) * 1_000);
      case "SERVER_SHUTDOWN":
      case "TIMEOUT":
      case "DISCONNECTED":
        this.#isDirty = true;
        return this.#later(null);
      default:
        this.#adopt(this.#urn.view().you.vote, true);
    }
  }

  #later(retryAt: number | null): void {
    this.state.set({ ...this.state.value, fate: "later", retryAt });
  }

  #drop(): void {
    clearTimeout(this.#timer);
    this.#isDirty = false;
  }

  #adopt(vote: View["you"]["vote"], isStale: boolean): void {
    const next: BallotView = vote
      ? { card: vote.value, confidence: vote.confidence ?? null, fate: "kept", retryAt: null, isStale: false }
      : { ...NOTHING, isStale };
    const now = this.state.value;
    const isSame = (Object.keys(next) as (keyof BallotView)[]).every((key) => now[key] === next[key]);
    if (!isSame) this.state.set(next);
  }
}
