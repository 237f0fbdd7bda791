import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";

import { CardroomError } from "./error.js";
import type { ClientToServerEvents, FailureBody, ServerToClientEvents } from "./generated/catalogue.js";

export type ConnectionStatus =
  /** On the way for the first time. */
  | "connecting"
  /** At the table. */
  | "online"
  /** Lost; on the way again. */
  | "reconnecting"
  /** Lost, and the device says that it has no network. */
  | "offline"
  /** At the table, but the server can keep nothing at the moment. */
  | "saving-paused"
  /** Nothing more will come of itself; `error` says why, unless we left. */
  | "closed";

export interface Connection {
  readonly status: ConnectionStatus;
  /** Epoch milliseconds of this device: when the next attempt is made. */
  readonly retryAt: number | null;
  /** Attempts since the connection was lost. */
  readonly attempt: number;
  /** What the server said when it hung up or let nobody in: `SERVER_SHUTDOWN`, say. */
  readonly error: CardroomError | null;
}

export type TypedSocket = Socket<ServerToClientEvents, ClientToServerEvents>;
export type SocketSettings = Partial<ManagerOptions & SocketOptions>;

/** What the table does when the link changes. */
export interface LinkHooks {
  /** The socket is open; `recovered`: it is still at the table, and missed nothing. */
  opened(recovered: boolean): void;
  /** The socket is gone. */
  lost(): void;
  /** Whether the other end still answers; called when it may have slept. */
  probe(): void;
  /** Whether something waits for the server to save again. */
  waits(): boolean;
  event(name: string, payload: unknown): void;
  changed(): void;
}

const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 4_000;
const CONNECT_TIMEOUT_MS = 10_000;
const ATTEMPT_TIMEOUT_MS = 15_000;

/** A socket that comes back, again and again, until it is stopped. */
export class Link {
  readonly socket: TypedSocket;
  readonly #hooks: LinkHooks;
  #connection: Connection = { status: "closed", retryAt: null, attempt: 0, error: null };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setTimeout> | undefined;
  #isWanted = false;
  /** What the server said before it hung up. */
  #farewell: CardroomError | null = null;

  constructor(url: string | undefined, settings: SocketSettings, hooks: LinkHooks) {
    this.#hooks = hooks;
    const options: SocketSettings = {
      timeout: CONNECT_TIMEOUT_MS,
      ...settings,
      autoConnect: false,
      forceNew: true,
      // Ours: it must start at once when the device is back, and say when it will.
      reconnection: false,
    };
    this.socket = url === undefined ? io(options) : io(url, options);
    this.socket.on("connect", () => {
      clearTimeout(this.#watch);
      this.#farewell = null;
      hooks.opened(this.socket.recovered);
    });
    this.socket.on("connect_error", (error: Error & { data?: FailureBody }) => {
      const refusal = error.data?.code ? new CardroomError(error.data) : null;
      if (refusal && !refusal.isTemporary) this.stop(refusal);
      else this.retry(refusal);
    });
    this.socket.on("connection:error", ({ error: message, code, retryAfter }) => {
      this.#farewell = new CardroomError({ message, code, retryAfter });
    });
    this.socket.on("disconnect", () => {
      hooks.lost();
      this.retry(this.#farewell);
    });
    // A recoverable connection adds a string to every event; it is not ours.
    this.socket.onAny((name: string, payload: unknown) => hooks.event(name, payload));
  }

  get connection(): Connection {
    return this.#connection;
  }

  start(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#set({ status: "connecting", retryAt: null, attempt: 0, error: null });
    for (const [target, name] of awakenings()) target.addEventListener(name, this.#awake);
    this.#attempt();
  }

  /** At the table. */
  settle(): void {
    clearTimeout(this.#timer);
    this.#set({ status: "online", retryAt: null, attempt: 0, error: null });
  }

  /** The server cannot keep anything for a while; nor, for all we know, as long as something waits for that. */
  pauseSaving(seconds: number): void {
    if (this.#connection.status !== "online" && this.#connection.status !== "saving-paused") return;
    clearTimeout(this.#timer);
    this.#set({ ...this.#connection, status: "saving-paused", retryAt: Date.now() + seconds * 1_000 });
    this.#timer = setTimeout(() => (this.#hooks.waits() ? this.pauseSaving(seconds) : this.resumeSaving()), seconds * 1_000);
  }

  resumeSaving(): void {
    if (this.#connection.status === "saving-paused") this.settle();
  }

  /** Another attempt, later and later, and not before the time that the server named. */
  retry(error: CardroomError | null = null): void {
    if (!this.#isWanted) return;
    const attempt = this.#connection.attempt + 1;
    const longest = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** (attempt - 1));
    const delayMs = (error?.retryAfter ?? 0) * 1_000 + longest * (0.5 + Math.random() / 2);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.retryNow(), delayMs);
    const status = isOffline() ? "offline" : "reconnecting";
    this.#set({ status, retryAt: Date.now() + delayMs, attempt, error });
  }

  retryNow(): void {
    const { status } = this.#connection;
    if (!this.#isWanted || status === "online" || status === "saving-paused") return;
    clearTimeout(this.#timer);
    if (this.#connection.retryAt !== null) this.#set({ ...this.#connection, retryAt: null });
    if (this.socket.connected) this.#hooks.opened(false);
    else if (!this.socket.active || !this.socket.io._readyState.startsWith("open")) this.#attempt();
  }

  /** The connection is no good; another one is. */
  drop(): void {
    // Not the socket's own way, which would end the session on the server.
    this.socket.io._close();
  }

  stop(error: CardroomError | null = null): void {
    this.#isWanted = false;
    clearTimeout(this.#timer);
    clearTimeout(this.#watch);
    for (const [target, name] of awakenings()) target.removeEventListener(name, this.#awake);
    this.socket.disconnect();
    this.#set({ status: "closed", retryAt: null, attempt: 0, error });
  }

  #attempt(): void {
    // The engine may open and the other end say nothing.
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.drop(), ATTEMPT_TIMEOUT_MS);
    this.socket.connect();
  }

  readonly #awake = (event: Event) => {
    if (event.type === "visibilitychange" && document.visibilityState !== "visible") return;
    if (this.socket.connected) this.#hooks.probe();
    if (event.type !== "offline") this.retryNow();
    else if (this.#connection.status === "reconnecting") this.#set({ ...this.#connection, status: "offline" });
  };

  #set(connection: Connection): void {
    this.#connection = connection;
    this.#hooks.changed();
  }
}

const isOffline = () => globalThis.navigator?.onLine === false;

/** What says that the device, or the page, is back. */
function awakenings(): [EventTarget, string][] {
  if (typeof window === "undefined" || typeof document === "undefined") return [];
  return [
    [window, "online"],
    [window, "offline"],
    [window, "pageshow"],
    [document, "visibilitychange"],
  ];
}
