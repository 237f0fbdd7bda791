// What has become of the own choice: said by the server's answer, never by
// the click.

import { useSession } from "../session/context";
import { text } from "../text";
import { Icon } from "../ui/icon";
import { useNow } from "../ui/now";
import { useStore } from "../ui/store";

export function BallotState() {
  const session = useSession();
  const { card, fate, retryAt, isStale } = useStore(session.ballot.state);
  const isPaused = useStore(session.isPaused);
  const now = useNow(fate === "later" ? retryAt : null);
  const words = () => {
    switch (fate) {
      case "sending":
        return text.saving;
      case "later":
        if (retryAt === null) return isPaused ? text.waitingForSaving : text.waitingForServer;
        return text.tooFast(Math.max(1, Math.ceil((retryAt - now) / 1_000)));
      case "kept":
        return card === null ? text.choose : text.savedShort;
      default:
        return isStale ? text.storyChanged : text.choose;
    }
  };
  return (
    <p class="ballot" data-fate={card === null ? "none" : fate}>
      {fate === "kept" && card !== null && <Icon name="check" />}
      {words()}
    </p>
  );
}
