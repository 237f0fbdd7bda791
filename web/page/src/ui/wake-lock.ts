// Keeps the screen on while cards are played, if asked to; fails silently.

let lock: WakeLockSentinel | null = null;

export async function keepAwake(isWanted: boolean): Promise<void> {
  try {
    if (isWanted && (lock === null || lock.released)) lock = await navigator.wakeLock.request("screen");
    else if (!isWanted && lock) {
      await lock.release();
      lock = null;
    }
  } catch {
    // Not allowed, or a low battery.
  }
}
