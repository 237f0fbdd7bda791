/** A seat as it is remembered. Whoever has the token holds the seat. */
export interface Seat {
  token: string;
  sessionId: string;
  code: string;
  playerId: string;
  /** Of the session, for a list of recent ones. */
  sessionName: string;
  /** Epoch milliseconds: when it was used last. */
  usedAt: number;
}

/** Where seats are kept: `localStorage` and `sessionStorage` are such. */
export interface SeatStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export type StorageChoice = "local" | "session" | "memory" | SeatStorage;

/** Seats by the id of their session, found by its join code as well. */
export class Seats {
  readonly #storage: SeatStorage;

  constructor(choice: StorageChoice = "local") {
    this.#storage = typeof choice === "object" ? choice : named(choice);
  }

  get(session: string): Seat | null {
    const seat = this.#read(keyOf(session));
    // A code leads to the id.
    return typeof seat === "string" ? (this.#read(keyOf(seat)) as Seat | null) : seat;
  }

  keep(seat: Seat): void {
    this.#write(keyOf(seat.sessionId), seat);
    this.#write(keyOf(seat.code), seat.sessionId);
  }

  forget(session: string): void {
    const seat = this.get(session);
    for (const key of seat ? [seat.sessionId, seat.code] : [session]) {
      try {
        this.#storage.removeItem(keyOf(key));
      } catch {
        // Storage that is switched off holds nothing.
      }
    }
  }

  #read(key: string): Seat | string | null {
    try {
      return JSON.parse(this.#storage.getItem(key) ?? "null");
    } catch {
      return null;
    }
  }

  #write(key: string, value: Seat | string): void {
    try {
      this.#storage.setItem(key, JSON.stringify(value));
    } catch {
      // Full or switched off: the seat lasts as long as this page.
    }
  }
}

/** Ids and codes are the same in either case. */
const keyOf = (session: string) => `cardroom.seat.${session.toUpperCase()}`;

function named(choice: "local" | "session" | "memory"): SeatStorage {
  try {
    if (choice === "local" && globalThis.localStorage) return globalThis.localStorage;
    if (choice === "session" && globalThis.sessionStorage) return globalThis.sessionStorage;
  } catch {
    // Forbidden by the browser.
  }
  const items = new Map<string, string>();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}
