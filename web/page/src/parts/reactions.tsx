// A wave across the table; nothing of it is kept.

import type { Emoji } from "cardroom-client";

import { useSession, useView } from "../session/context";
import { text } from "../text";

const EMOJI: Emoji[] = ["👍", "👎", "👏", "🙌", "🎉", "❤", "😂", "😮", "🤔", "👀", "🔥", "🚀"];

export function Reactions() {
  const session = useSession();
  if (!useView().settings.reactions) return null;
  return (
    <details class="reactions popup">
      <summary>{text.react}</summary>
      <div class="popup-sheet">
        {EMOJI.map((emoji) => (
          <button type="button" key={emoji} class="quiet" aria-label={text.reactWith(emoji)} onClick={() => void session.react(emoji)}>
            {emoji}
          </button>
        ))}
      </div>
    </details>
  );
}
