// The page's side of a session: what the screens watch, and what their
// buttons do. The client keeps the table's state; here it gets its manners:
// questions asked once, failures told in one sentence, own votes that wait.

import type {
  Emoji,
  PlayerInfo as Player,
  RoundSummaryInfo as RoundSummary,
  Table,
  TableState as View,
} from "cardroom-client";

import { text } from "../text";
import { Store } from "../ui/store";
import { Ballot } from "./ballot";
import { isFailure, sentence } from "./failure";
import type { StoryWords } from "./words";

export interface Link {
  status: "connecting" | "online" | "reconnecting" | "offline" | "restarting";
  /** Local milliseconds of the next try. */
  retryAt: number | null;
}

export interface Notice {
  words: string;
  act?: { label: string; go(): void };
}

/** How long a new round is not begun by who has just seen others reveal. */
const INERT_MS = 800;
const REACTION_MS = 2_500;
const MINUTE_SECONDS = 60;

export class Session {
  readonly table: Table;
  readonly view: Store<View>;
  readonly link: Store<Link>;
  /** The server cannot save just now. */
  readonly isPaused = new Store(false);
  readonly notice = new Store<Notice | null>(null);
  /** What is asked for a second time, in place. */
  readonly asking = new Store<"reveal" | "newRound" | null>(null);
  readonly resetInert = new Store(false);
  readonly reactions = new Store<Record<string, { emoji: string; at: number }>>({});
  readonly ballot: Ballot;
  #ownReveal = 0;
  #ends: (() => void)[] = [];

  constructor(table: Table, view: View) {
    this.table = table;
    this.view = new Store(view);
    this.link = new Store(this.#linkNow());
    this.ballot = new Ballot(table);
    this.#ends.push(
      table.subscribe(() => this.#follow()),
      table.on("reaction:received", ({ playerId, emoji }) => this.#showReaction(playerId, emoji)),
      table.on("player:nudged", () => this.#nudged()),
      table.on("session:expiring", () => this.notice.set({ words: text.expiring })),
    );
  }

  get sessionId(): string {
    return this.view.value.sessionId;
  }

  token(): string {
    return this.table.token ?? "";
  }

  me(): Player {
    return this.view.value.me;
  }

  /** Server time minus local time, in milliseconds. */
  clockOffset(): number {
    return this.table.serverNow() - Date.now();
  }

  close(): void {
    for (const end of this.#ends) end();
    this.table.close();
  }

  tryNow(): void {
    this.table.retryNow();
  }

  async reveal(isSure = false): Promise<void> {
    const { round } = this.view.value;
    if (round.phase !== "voting" || round.voteCount === 0) return;
    if (!isSure && round.voteCount < round.eligibleCount) return this.asking.set("reveal");
    this.asking.set(null);
    this.#ownReveal = round.roundId;
    await this.#do(this.table.reveal());
  }

  async newRound(isSure = false): Promise<void> {
    const { round } = this.view.value;
    if (this.resetInert.value) return;
    if (!isSure && round.phase !== "revealed" && round.voteCount > 0) return this.asking.set("newRound");
    this.asking.set(null);
    const { roundId, phase } = round;
    const isDone = await this.#do(this.table.reset());
    if (!isDone || phase !== "revealed") return;
    this.notice.set({ words: text.newRoundRuns, act: { label: text.undoReset, go: () => void this.#do(this.table.restoreRound(roundId)) } });
  }

  cancelCountdown(): Promise<boolean> {
    return this.#do(this.table.cancelCountdown());
  }

  nextStory(title: string): Promise<boolean> {
    return this.#do(this.table.reset({ title }));
  }

  activate(storyId: string): Promise<boolean> {
    return this.#do(this.table.activateStory(storyId));
  }

  finalize(storyId: string, value: string): Promise<boolean> {
    return this.#do(this.table.finalizeStory(storyId, value));
  }

  updateStory(storyId: string, words: StoryWords): Promise<boolean> {
    return this.#do(this.table.updateStory({ storyId, ...words }));
  }

  async createStory(title: string): Promise<{ added: number; rejected: number } | null> {
    return (await this.#do(this.table.createStory({ title }))) ? { added: 1, rejected: 0 } : null;
  }

  async importStories(format: "csv" | "lines", data: string): Promise<{ added: number; rejected: number } | null> {
    try {
      const { storyIds, rejected } = await this.table.importStories({ format, data });
      return { added: storyIds.length, rejected: rejected.length };
    } catch (error) {
      this.#failed(error);
      return null;
    }
  }

  deleteStory(storyId: string): Promise<boolean> {
    return this.#do(this.table.deleteStory(storyId));
  }

  reorder(storyId: string, beforeId: string | null): Promise<boolean> {
    return this.#do(this.table.reorderStories(storyId, beforeId ?? undefined));
  }

  async history(cursor?: number): Promise<{ rounds: RoundSummary[]; cursor?: number } | null> {
    try {
      return await this.table.history(cursor === undefined ? {} : { cursor });
    } catch (error) {
      this.#failed(error);
      return null;
    }
  }

  /** Starts, pauses or goes on: what a clock's button means just now. */
  toggleTimer(): Promise<boolean> {
    const { status } = this.view.value.timer;
    if (status === "running") return this.#do(this.table.pauseTimer());
    return this.#do(status === "paused" ? this.table.resumeTimer() : this.table.startTimer());
  }

  extendTimer(): Promise<boolean> {
    return this.#do(this.table.extendTimer(MINUTE_SECONDS));
  }

  stopTimer(): Promise<boolean> {
    return this.#do(this.table.stopTimer());
  }

  updateMe(name: string, avatar: string): Promise<boolean> {
    return this.#do(this.table.updatePlayer({ name, avatar }));
  }

  watch(isSpectator: boolean): Promise<boolean> {
    return this.#do(this.table.updatePlayer({ isSpectator }));
  }

  setAway(away: boolean): Promise<boolean> {
    return this.#do(this.table.setPresence({ away }));
  }

  setSpectator(playerId: string, isSpectator: boolean): Promise<boolean> {
    return this.#do(this.table.setSpectator(playerId, isSpectator));
  }

  setFacilitator(playerId: string, isFacilitator: boolean): Promise<boolean> {
    return this.#do(isFacilitator ? this.table.promote(playerId) : this.table.demote(playerId));
  }

  transfer(playerId: string): Promise<boolean> {
    return this.#do(this.table.transfer(playerId));
  }

  remove(playerId: string): Promise<boolean> {
    return this.#do(this.table.removePlayer(playerId));
  }

  async nudge(playerId: string): Promise<void> {
    if (await this.#do(this.table.nudge(playerId))) this.notice.set({ words: text.nudgeSent });
  }

  react(emoji: Emoji): Promise<boolean> {
    return this.#do(this.table.react(emoji));
  }

  configure(change: Parameters<Table["configure"]>[0]): Promise<boolean> {
    return this.#do(this.table.configure(change));
  }

  lock(locked: boolean): Promise<boolean> {
    return this.#do(this.table.lock(locked));
  }

  end(): Promise<boolean> {
    return this.#do(this.table.endSession());
  }

  async leave(): Promise<void> {
    await this.table.leave().catch(() => undefined);
  }

  #follow(): void {
    this.link.set(same(this.link.value, this.#linkNow()));
    this.isPaused.set(this.table.connection.status === "saving-paused");
    const before = this.view.value;
    const after = this.table.state;
    if (after && after !== before) {
      this.view.set(after);
      if (before.round.phase !== "revealed" && after.round.phase === "revealed") this.#revealed(after);
      if (after.round.roundId !== before.round.roundId || after.round.phase !== "voting") this.asking.set(null);
      // What it offers is over with the first vote.
      if (before.round.voteCount < after.round.voteCount && this.notice.value?.act) this.notice.set(null);
    }
    this.ballot.follow();
  }

  /** What others reveal must not meet a click that was meant for something else. */
  #revealed({ round }: View): void {
    if (this.#ownReveal === round.roundId) return;
    this.resetInert.set(true);
    setTimeout(() => this.resetInert.set(false), INERT_MS);
  }

  #showReaction(playerId: string, emoji: string): void {
    const at = performance.now();
    this.reactions.set({ ...this.reactions.value, [playerId]: { emoji, at } });
    setTimeout(() => {
      if (this.reactions.value[playerId]?.at !== at) return;
      const { [playerId]: _, ...others } = this.reactions.value;
      this.reactions.set(others);
    }, REACTION_MS);
  }

  #nudged(): void {
    this.notice.set({ words: text.nudged });
    navigator.vibrate?.([80, 60, 80]);
  }

  /** Whether it worked; if not, a sentence says why. */
  async #do(command: Promise<unknown>): Promise<boolean> {
    try {
      await command;
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  #failed(error: unknown): void {
    if (isFailure(error) && error.code === "CLOSED") return;
    this.notice.set({ words: sentence(error) });
    // A switch that was turned in vain turns back.
    this.view.set({ ...this.view.value });
  }

  /** Nobody sits here any more who could come back by himself. */
  ending(): string | null {
    const { connection, state } = this.table;
    if (state?.status === "ended") return "SESSION_ENDED";
    if (state?.status === "expired") return "SESSION_EXPIRED";
    return connection.status === "closed" ? (connection.error?.code ?? "LEFT") : null;
  }

  #linkNow(): Link {
    const { status, retryAt, error } = this.table.connection;
    switch (status) {
      case "saving-paused":
        return { status: "online", retryAt: null };
      case "reconnecting":
        return { status: error?.code === "SERVER_SHUTDOWN" ? "restarting" : status, retryAt };
      case "closed":
        return { status: "offline", retryAt: null };
      default:
        return { status, retryAt };
    }
  }
}

const same = (before: Link, after: Link): Link =>
  before.status === after.status && before.retryAt === after.retryAt ? before : after;
