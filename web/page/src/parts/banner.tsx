// What stands between the player and the server just now, and what helps.

import { useSession } from "../session/context";
import { text } from "../text";
import { useNow } from "../ui/now";
import { useStore } from "../ui/store";

export function Banner() {
  const session = useSession();
  const link = useStore(session.link);
  const isPaused = useStore(session.isPaused);
  const now = useNow(link.status === "online" ? null : link.retryAt);
  const words = () => {
    if (link.status === "online") return isPaused ? text.pausedHint : null;
    if (link.status === "offline") return text.offlineHint;
    if (link.status === "restarting") return text.restartingHint;
    if (link.status === "reconnecting") return text.reconnectIn(link.retryAt === null ? 0 : Math.ceil((link.retryAt - now) / 1_000));
    return null;
  };
  const said = words();
  if (said === null) return null;
  return (
    <div class="banner" role="status">
      <p>{said}</p>
      {link.status !== "online" && (
        <button type="button" class="plain" onClick={() => session.tryNow()}>
          {text.tryNow}
        </button>
      )}
    </div>
  );
}
