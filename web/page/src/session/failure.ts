// What a command was refused with.

import { text } from "../text";

export interface Refusal {
  code: string;
  message: string;
  field?: string | undefined;
  retryAfter?: number | undefined;
}

export const isFailure = (error: unknown): error is Refusal =>
  typeof error === "object" && error !== null && typeof (error as Refusal).code === "string";

/** One sentence for whoever tried. */
export function sentence(error: unknown): string {
  if (!isFailure(error)) return text.failed;
  if (error.retryAfter && error.code === "RATE_LIMITED") return text.slowDown(error.retryAfter);
  switch (error.code) {
    case "FORBIDDEN":
      return text.forbidden;
    case "STATE_UNAVAILABLE":
      return text.pausedFailed;
    case "SERVER_BUSY":
    case "SERVER_SHUTDOWN":
    case "INTERNAL":
    case "TIMEOUT":
    case "OFFLINE":
    case "CLOSED":
      return text.failed;
    default:
      return error.message || text.failed;
  }
}
