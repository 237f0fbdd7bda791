// Where the page is, and how it gets there: from a code to a seat.

import { Table } from "cardroom-client";

import { drawer } from "../parts/drawer";
import { goTo, route, settleAt } from "../route";
import { Store } from "../ui/store";
import { isFailure } from "./failure";
import { Session } from "./session";
import { recents, seats } from "./storage";

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
  playerName: string;
  avatar: string;
  isSpectator: boolean;
  password?: string;
}

export type Place =
  | { at: "start" }
  | { at: "opening"; code: string }
  | { at: "door"; card: SessionCard; hint: string | null }
  | { at: "table"; session: Session; isReturn: boolean }
  | { at: "dead"; code: string; session: Session | null };

class App {
  readonly place = new Store<Place>({ at: "start" });
  #session: Session | null = null;

  start(): void {
    route.subscribe(() => void this.#arrive());
    void this.#arrive();
  }

  /** Opens a session and sits down as its host. */
  async create(wish: { name: string; playerName: string; avatar: string; deck: string }): Promise<void> {
    const table = new Table();
    try {
      await table.create(wish);
    } catch (error) {
      table.close();
      throw error;
    }
    const code = this.#sit(table, true, false);
    goTo(code);
  }

  async join(code: string, words: JoinWords, remember: boolean): Promise<void> {
    const table = new Table();
    try {
      await table.join({ sessionId: code, ...words });
    } catch (error) {
      table.close();
      if (isFailure(error) && DEAD.has(error.code)) this.place.set({ at: "dead", code: error.code, session: null });
      throw error;
    }
    this.#sit(table, remember, false);
  }

  /** Somebody else sits at this browser: the seat stays, the token goes. */
  async notMe(): Promise<void> {
    const code = route.value;
    if (code === null) return;
    seats.forget(code);
    this.#rise();
    await this.#arrive();
  }

  leaveDeadEnd(code: string): void {
    this.#rise();
    if (code === "VERSION") return location.reload();
    if (AGAIN.has(code)) return void this.#arrive();
    goTo(null);
    this.place.set({ at: "start" });
  }

  /** Follows the address. */
  async #arrive(): Promise<void> {
    const code = route.value;
    drawer.set(null);
    if (code === null) {
      this.#rise();
      return this.place.set({ at: "start" });
    }
    if (this.#session?.view.value.code === code) return;
    this.#rise();
    this.place.set({ at: "opening", code });
    const seat = seats.of(code);
    const isBack = seat !== null && (await this.#return(code, seat.token));
    if (!isBack && this.place.value.at === "opening") await this.#look(code);
  }

  /** Takes the own seat back; false when a new one is needed. */
  async #return(code: string, playerToken: string): Promise<boolean> {
    const table = new Table();
    try {
      await table.join({ sessionId: code, playerToken });
      if (route.value !== code) {
        table.close();
        return true;
      }
      this.#sit(table, true, true);
      return true;
    } catch (error) {
      table.close();
      const failure = isFailure(error) ? error.code : "UNREACHABLE";
      if (failure === "INVALID_PLAYER_TOKEN" || failure === "NAME_REQUIRED") {
        seats.forget(code);
        return false;
      }
      if (failure === "PLAYER_REMOVED") seats.forget(code);
      this.place.set({ at: "dead", code: failure, session: null });
      return true;
    }
  }

  async #look(code: string): Promise<void> {
    try {
      const response = await fetch(`api/v1/sessions/${code}`);
      const answer: unknown = await response.json();
      if (route.value !== code) return;
      if (!response.ok) {
        const failure = isFailure(answer) ? answer.code : "UNREACHABLE";
        return this.place.set({ at: "dead", code: failure, session: null });
      }
      const card = answer as SessionCard;
      if (card.status !== "open") return this.place.set({ at: "dead", code: card.status === "ended" ? "SESSION_ENDED" : "SESSION_EXPIRED", session: null });
      this.place.set(card.locked ? { at: "dead", code: "SESSION_LOCKED", session: null } : { at: "door", card, hint: null });
    } catch {
      this.place.set({ at: "dead", code: "UNREACHABLE", session: null });
    }
  }

  #sit(table: Table, remember: boolean, isReturn: boolean): string {
    const session = new Session(table);
    const { code, sessionId, settings } = session.view.value;
    this.#session = session;
    seats.keep(code, { sessionId, token: session.token(), name: session.me()?.name ?? "" }, remember);
    recents.add({ code, name: settings.name, at: Date.now() });
    settleAt(code);
    this.place.set({ at: "table", session, isReturn });
    return code;
  }

  #rise(): void {
    this.#session?.close();
    this.#session = null;
  }
}

const DEAD = new Set(["SESSION_NOT_FOUND", "SESSION_EXPIRED", "SESSION_ENDED", "SESSION_FULL", "SESSION_LOCKED", "PLAYER_REMOVED"]);
/** Dead ends where the same way may be open a moment later. */
const AGAIN = new Set(["SESSION_FULL", "SESSION_LOCKED", "PASSWORD_INVALID", "NAME_REQUIRED", "RATE_LIMITED", "UNREACHABLE"]);

export const app = new App();
