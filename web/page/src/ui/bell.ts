// One soft bell, made here; silent unless the preferences want it.

import { device } from "./device";

let context: AudioContext | null = null;

export function ring(): void {
  if (!device.value.sound) return;
  try {
    context ??= new AudioContext();
    const start = context.currentTime;
    for (const [frequency, loudness] of [
      [660, 0.12],
      [1_320, 0.04],
    ] as const) {
      const tone = context.createOscillator();
      const gain = context.createGain();
      tone.frequency.value = frequency;
      gain.gain.setValueAtTime(loudness, start);
      gain.gain.exponentialRampToValueAtTime(0.0001, start + 1.2);
      tone.connect(gain).connect(context.destination);
      tone.start(start);
      tone.stop(start + 1.2);
    }
  } catch {
    // No sound is no reason to stop.
  }
}
