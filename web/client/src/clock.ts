/** The server's clock, as far as round trips tell it. */
export class Clock {
  #offsetMs = 0;
  #bestTripMs = Infinity;

  /** The server's epoch milliseconds. */
  now(): number {
    return Date.now() + this.#offsetMs;
  }

  /** A broadcast bounds the offset until a round trip measures it. */
  hear(serverTime: number): void {
    if (this.#bestTripMs === Infinity) this.#offsetMs = serverTime - Date.now();
  }

  /** The shortest trip tells most; an old one counts less and less. */
  measure(sentAt: number, serverTime: number): void {
    const tripMs = Date.now() - sentAt;
    if (tripMs <= this.#bestTripMs * 1.5) {
      this.#bestTripMs = Math.max(tripMs, 1);
      this.#offsetMs = serverTime - (sentAt + tripMs / 2);
    } else {
      this.#bestTripMs *= 1.2;
    }
  }
}
