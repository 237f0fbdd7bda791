// Keeps the screen on while cards are played, if asked to; fails silently.

let lock: WakeLockSentinel | null = null;
let isWanted = false;
let isChanging = false;

export async function keepAwake(isNowWanted: boolean): Promise<void> {
  isWanted = isNowWanted;
  // Whoever waits for the browser looks again at what is wanted by then.
  if (isChanging) return;
  isChanging = true;
  try {
    while (isWanted !== isHeld()) {
      if (isWanted) lock = await navigator.wakeLock.request("screen");
      else await lock?.release();
    }
  } catch {
    // Not allowed, or a low battery.
  }
  isChanging = false;
}

const isHeld = () => lock !== null && !lock.released;
