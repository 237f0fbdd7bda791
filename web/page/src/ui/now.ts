// The time, for what counts down on the screen.

import { useEffect, useState } from "preact/hooks";

/** Local milliseconds; renders again at each full `step` before `until`. */
export function useNow(until: number | null, step = 1_000): number {
  const [, tick] = useState(0);
  const now = Date.now();
  useEffect(() => {
    if (until === null || until <= now) return;
    const rest = (until - now) % step || step;
    const timeout = setTimeout(() => tick((count) => count + 1), rest + 5);
    return () => clearTimeout(timeout);
  });
  return now;
}

export const clockText = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
