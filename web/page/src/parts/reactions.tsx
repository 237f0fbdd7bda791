// A wave across the table; nothing of it is kept.

import { useSession, useView } from "../session/context";
import { text } from "../text";

const EMOJI = ["👍", "👎", "👏", "🙌", "🎉", "❤", "😂", "😮", "🤔", "👀", "🔥", "🚀"];

export function Reactions() {
  const session = useSession();
  if (!useView().settings.reactions) return null;
  return (
    <details class="reactions">
      <summary>{text.react}</summary>
      <div class="reactions-row">
        {EMOJI.map((emoji) => (
          <button type="button" key={emoji} class="quiet" aria-label={text.reactWith(emoji)} onClick={() => void session.react(emoji)}>
            {emoji}
          </button>
        ))}
      </div>
    </details>
  );
}
