import type { Details, ErrorCode, FailureBody } from "./generated/catalogue.js";

/**
 * Codes of the client itself:
 * `TIMEOUT` no answer came in time, and what became of the command is unknown;
 * `OFFLINE` there was no connection, nothing was sent;
 * `CLOSED` the table was left or closed meanwhile.
 */
export type LocalCode = "TIMEOUT" | "OFFLINE" | "CLOSED";

/** Why something did not happen: a refusal of the server, or a local one. */
export class CardroomError extends Error {
  readonly code: ErrorCode | LocalCode;
  /** The path of the field that is wrong: `settings.deck`. */
  readonly field?: string;
  /** Seconds until another try makes sense. */
  readonly retryAfter?: number;
  readonly details?: Details;

  constructor(failure: Omit<FailureBody, "code"> & { code: ErrorCode | LocalCode }) {
    super(failure.message);
    this.name = "CardroomError";
    this.code = failure.code;
    if (failure.field !== undefined) this.field = failure.field;
    if (failure.retryAfter !== undefined) this.retryAfter = failure.retryAfter;
    if (failure.details !== undefined) this.details = failure.details;
  }

  /** The server cannot now, and may a moment later. */
  get isTemporary(): boolean {
    return TEMPORARY.has(this.code);
  }
}

const TEMPORARY = new Set<string>(["RATE_LIMITED", "SERVER_BUSY", "STATE_UNAVAILABLE", "SERVER_SHUTDOWN"]);

export const timedOut = () => new CardroomError({ code: "TIMEOUT", message: "The server did not answer in time" });
export const offline = () => new CardroomError({ code: "OFFLINE", message: "There is no connection" });
export const closed = () => new CardroomError({ code: "CLOSED", message: "The table was closed" });
