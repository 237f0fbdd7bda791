// The session's name, the state of the connection, and the ways out of sight.

import { useSession, useView } from "../session/context";
import { text } from "../text";
import { Icon } from "../ui/icon";
import { useStore } from "../ui/store";
import { openDrawer } from "./drawer";

export function Header() {
  const session = useSession();
  const { settings } = useView();
  const { status } = useStore(session.link);
  const isPaused = useStore(session.isPaused);
  const shown = isPaused && status === "online" ? "paused" : status;
  return (
    <header class="top">
      <div class="top-name">
        <h1>
          <bdi>{settings.name}</bdi>
        </h1>
        <p class="link-state" data-status={shown}>
          <span class="dot" aria-hidden="true" />
          {text.connection[shown]}
        </p>
      </div>
      <nav class="top-acts" aria-label={text.menu}>
        <button type="button" class="plain" onClick={() => openDrawer("invite")}>
          <Icon name="invite" />
          {text.invite}
        </button>
        <button type="button" class="quiet" aria-label={text.history} title={text.history} onClick={() => openDrawer("history")}>
          <Icon name="history" />
          <span class="wide-only">{text.history}</span>
        </button>
        <button type="button" class="quiet" aria-label={text.menu} title={text.menu} onClick={() => openDrawer("menu")}>
          <Icon name="menu" />
          <span class="wide-only">{text.menu}</span>
        </button>
      </nav>
    </header>
  );
}
