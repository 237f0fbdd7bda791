// Where the page is, and how it gets there: from a code to a seat.

import { Table, type CreateOptions } from "cardroom-client";

import { drawer } from "../parts/drawer";
import { goTo, route } from "../route";
import { text } from "../text";
import { Store } from "../ui/store";
import { isFailure } from "./failure";
import { Session } from "./session";
import { recents } from "./storage";

/** What everybody may know who has the code. */
export interface SessionCard {
  code: string;
  name: string;
  status: string;
  playerCount: number;
  passwordProtected: boolean;
  locked: boolean;
  deckName: string;
}

export interface JoinWords {
  name: string;
  avatar: string;
  isSpectator: boolean;
  password?: string;
}

export type Place =
  | { at: "start" }
  | { at: "opening" }
  | { at: "door"; card: SessionCard }
  | { at: "table"; session: Session }
  /** `session`: the one that is over, whose results may be taken along. */
  | { at: "dead"; code: string; session: Session | null };

/** Between looks for a session while there is no answer, or none for now. */
const LOOK_PAUSES_MS = [500, 1_500, 3_000];
/** For one of them; a line that swallows what is sent says nothing of it. */
const LOOK_TIMEOUT_MS = 5_000;
const PASSING = new Set(["STATE_UNAVAILABLE", "SERVER_BUSY", "SERVER_SHUTDOWN"]);

/** How long a form waits for the server before it gives the word back. */
const PATIENCE_MS = 15_000;

class App {
  readonly place = new Store<Place>({ at: "start" });
  #session: Session | null = null;

  start(): void {
    route.subscribe(() => void this.#arrive());
    void this.#arrive();
  }

  /** Opens a session and sits down as its host. */
  async create(wish: CreateOptions): Promise<void> {
    const table = tableIn("local");
    await inTime(table, table.create(wish));
    this.#sit(table, false);
  }

  async join(code: string, words: JoinWords, remember: boolean): Promise<void> {
    const table = tableIn(remember ? "local" : "session");
    try {
      await inTime(table, table.join({ sessionId: code, ...words }));
    } catch (error) {
      if (isFailure(error) && DEAD.has(error.code)) this.#die(error.code);
      throw error;
    }
    this.#sit(table, false);
  }

  /** Somebody else sits at this browser: the seat stays, its token goes. */
  async notMe(): Promise<void> {
    const code = route.value;
    if (code === null) return;
    for (const storage of STORAGES) tableIn(storage).forget(code);
    this.#rise();
    await this.#arrive();
  }

  /** The button of a dead end. */
  goOn(code: string): void {
    if (code === "VERSION") return location.reload();
    this.#rise();
    if (AGAIN.has(code)) return void this.#arrive();
    goTo(null);
  }

  /** Follows the address. */
  async #arrive(): Promise<void> {
    const code = route.value;
    drawer.set(null);
    if (code !== null && this.#session?.view.value.code === code) return;
    this.#rise();
    if (code === null) return this.place.set({ at: "start" });
    this.place.set({ at: "opening" });
    for (const storage of STORAGES) {
      const table = tableIn(storage);
      if (table.remembered(code)) return this.#return(table, code);
    }
    await this.#look(code);
  }

  /** Takes the own seat back, as long as it takes; or looks for a new one. */
  async #return(table: Table, code: string): Promise<void> {
    const stop = route.subscribe(() => table.close());
    try {
      await table.join({ sessionId: code });
      if (this.#isGone(code)) table.close();
      else this.#sit(table, true);
    } catch (error) {
      if (this.#isGone(code)) return;
      const failure = isFailure(error) ? error.code : "UNREACHABLE";
      if (failure === "INVALID_PLAYER_TOKEN") await this.#look(code);
      else this.#die(failure === "BAD_REQUEST" ? "VERSION" : failure);
    } finally {
      stop();
    }
  }

  /** A server that restarts is given a few seconds before the dead end. */
  async #look(code: string): Promise<void> {
    let failure = "UNREACHABLE";
    for (const pauseMs of [...LOOK_PAUSES_MS, null]) {
      try {
        const response = await fetch(`api/v1/sessions/${code}`, { signal: AbortSignal.timeout(LOOK_TIMEOUT_MS) });
        const answer: unknown = await response.json();
        if (this.#isGone(code)) return;
        if (response.ok) {
          const card = answer as SessionCard;
          if (card.status === "open" && !card.locked) return this.place.set({ at: "door", card });
          failure = card.locked ? "SESSION_LOCKED" : card.status === "ended" ? "SESSION_ENDED" : "SESSION_EXPIRED";
          break;
        }
        failure = isFailure(answer) ? answer.code : "UNREACHABLE";
        if (failure !== "UNREACHABLE" && !PASSING.has(failure)) break;
      } catch {
        // No network, no server, or none in time: the dead end says so.
        failure = "UNREACHABLE";
      }
      if (pauseMs !== null) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      if (this.#isGone(code)) return;
    }
    if (!this.#isGone(code)) this.#die(failure);
  }

  /** Whether the page has gone on, elsewhere or to the table. */
  #isGone(code: string): boolean {
    return route.value !== code || this.place.value.at !== "opening";
  }

  #sit(table: Table, isReturn: boolean): void {
    const { state } = table;
    if (!state) return;
    const session = new Session(table, state);
    this.#session = session;
    recents.add({ code: state.code, name: state.settings.name, at: Date.now() });
    if (route.value !== state.code) goTo(state.code);
    if (isReturn) {
      const act = { label: text.notYou, go: () => void this.notMe() };
      session.notice.set({ words: text.backIn(state.me.name), act });
    }
    this.place.set({ at: "table", session });
    const look = () => {
      const ending = session.ending();
      if (ending === null || this.#session !== session) return;
      this.#session = null;
      drawer.set(null);
      if (ending === "LEFT") goTo(null);
      else this.#die(ending, session);
      session.close();
    };
    table.subscribe(look);
    // It may have ended before anybody listened.
    look();
  }

  #die(code: string, session: Session | null = null): void {
    this.place.set({ at: "dead", code, session });
  }

  #rise(): void {
    const session = this.#session;
    this.#session = null;
    session?.close();
  }
}

/** With the cookies of a load balancer, which keeps polling at one instance. */
const tableIn = (storage: (typeof STORAGES)[number]) => new Table(undefined, { storage, socket: { withCredentials: true } });

/** The client tries for ever; somebody who pressed a button wants an answer, and none after going elsewhere. */
async function inTime<T>(table: Table, arrival: Promise<T>): Promise<T> {
  const late = setTimeout(() => table.close(), PATIENCE_MS);
  const stop = route.subscribe(() => table.close());
  try {
    return await arrival;
  } finally {
    clearTimeout(late);
    stop();
  }
}

const STORAGES = ["session", "local"] as const;
const DEAD = new Set(["SESSION_NOT_FOUND", "SESSION_EXPIRED", "SESSION_ENDED", "SESSION_FULL", "SESSION_LOCKED", "PLAYER_REMOVED"]);
/** Dead ends where the same way may be open a moment later. */
const AGAIN = new Set(["SESSION_FULL", "SESSION_LOCKED", "PASSWORD_INVALID", "NAME_REQUIRED", "RATE_LIMITED", "UNREACHABLE"]);

export const app = new App();
