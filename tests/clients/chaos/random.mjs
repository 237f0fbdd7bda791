// Choices that come from a seed, the same everywhere.

/** Mulberry32, with what the players draw from it. */
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to 1. */
  draw() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    const state = this.#state;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Whether something happens that does so in a share of all cases. */
  happens(share) {
    return this.draw() < share;
  }

  below(limit) {
    return Math.floor(this.draw() * limit);
  }

  one(list) {
    return list[this.below(list.length)];
  }

  /** About `ms`, from half to one and a half of it. */
  about(ms) {
    return ms * (0.5 + this.draw());
  }
}
