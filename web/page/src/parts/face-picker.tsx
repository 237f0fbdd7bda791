// The own emoji: shown as a button, chosen from a small board.

import { useRef } from "preact/hooks";

import { FACES } from "../session/faces";
import { text } from "../text";

export function FacePicker({ value, onChange }: { value: string; onChange(face: string): void }) {
  const board = useRef<HTMLDetailsElement>(null);
  const choose = (face: string) => {
    onChange(face);
    board.current?.removeAttribute("open");
    board.current?.querySelector("summary")?.focus();
  };
  const faces = FACES.includes(value) ? FACES : [value, ...FACES];
  return (
    <details class="faces" ref={board}>
      <summary aria-label={text.chooseEmoji(value)}>{value}</summary>
      <div class="faces-board" role="group" aria-label={text.emoji}>
        {faces.map((face) => (
          <button type="button" key={face} aria-pressed={face === value} onClick={() => choose(face)}>
            {face}
          </button>
        ))}
      </div>
    </details>
  );
}
