import { CardroomError } from "./error.js";
import type { Confidence } from "./generated/catalogue.js";
import { requestId } from "./id.js";
import type { MyVote } from "./state.js";

/** A vote as its voter means it; `value: null` takes it back. */
export interface Choice {
  readonly storyId: string;
  readonly roundId: number;
  readonly value: string | null;
  readonly confidence?: Confidence;
  readonly requestId: string;
}

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

/** Sends one choice; rejects with the refusal. Never settles if the connection is lost. */
export type Send = (choice: Choice) => Promise<void>;

const RETRY_SECONDS = 2;

/**
 * The one vote that is not saved yet. Choices made while one is on its way
 * replace each other; the last is sent again after a lost connection, or when
 * the server asks for patience, as long as the round is the same.
 */
export class Ballot {
  #choice: Choice | null = null;
  #waiters: Waiter[] = [];
  #isSending = false;
  /** Answers that come after the connection was lost belong to nobody. */
  #trip = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #send: Send;
  readonly #canSend: () => boolean;
  readonly #changed: () => void;

  constructor(send: Send, canSend: () => boolean, changed: () => void) {
    this.#send = send;
    this.#canSend = canSend;
    this.#changed = changed;
  }

  /** The vote that is shown: the choice, or what the server has. */
  shown(saved: { value: string; confidence?: Confidence } | undefined): MyVote | null {
    const choice = this.#choice;
    if (!choice) return saved ? { ...saved, saved: true } : null;
    const { value, confidence } = choice;
    return value === null ? null : { value, ...(confidence && { confidence }), saved: false };
  }

  cast(choice: Omit<Choice, "requestId">): Promise<void> {
    const settled = new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }));
    this.#choice = { ...choice, requestId: requestId() };
    this.#changed();
    this.pump();
    return settled;
  }

  /** Sends the choice if there is one and nothing stands against it. */
  pump(): void {
    const choice = this.#choice;
    if (!choice || this.#isSending || this.#timer !== undefined || !this.#canSend()) return;
    const trip = ++this.#trip;
    this.#isSending = true;
    this.#send(choice).then(
      () => {
        if (trip !== this.#trip) return;
        this.#isSending = false;
        if (this.#choice === choice) this.#settle((waiter) => waiter.resolve());
        else this.pump();
      },
      (error: unknown) => {
        if (trip !== this.#trip) return;
        this.#isSending = false;
        if (this.#choice !== choice) return this.pump();
        if (error instanceof CardroomError && error.isTemporary) return this.#wait(error.retryAfter);
        this.#settle((waiter) => waiter.reject(error));
      },
    );
  }

  /** The connection is lost; the choice is sent again when it is back. */
  interrupt(): void {
    this.#trip += 1;
    this.#isSending = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The round is another one, or the table is closed. */
  discard(reason: CardroomError): void {
    this.interrupt();
    this.#settle((waiter) => waiter.reject(reason));
  }

  get roundId(): number | null {
    return this.#choice?.roundId ?? null;
  }

  #wait(seconds = RETRY_SECONDS): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.pump();
    }, seconds * 1_000);
  }

  #settle(tell: (waiter: Waiter) => void): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    const had = this.#choice !== null;
    this.#choice = null;
    if (had) this.#changed();
    waiters.forEach(tell);
  }
}
