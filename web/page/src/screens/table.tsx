// The table: the page for the whole afternoon.

import { useLayoutEffect } from "preact/hooks";

import { Banner } from "../parts/banner";
import { Dock } from "../parts/dock";
import { drawer } from "../parts/drawer";
import { Head } from "../parts/head";
import { Header } from "../parts/header";
import { Help } from "../parts/help";
import { History } from "../parts/history";
import { Invite } from "../parts/invite";
import { Menu } from "../parts/menu";
import { Notice } from "../parts/notice";
import { Person } from "../parts/person";
import { Results } from "../parts/results";
import { Seats } from "../parts/seats";
import { Stories } from "../parts/stories";
import { StoryLine } from "../parts/story";
import { SessionContext } from "../session/context";
import { accompany } from "../session/effects";
import { listenToKeys } from "../session/keyboard";
import type { Session } from "../session/session";
import { useStore } from "../ui/store";

export function TableScreen({ session }: { session: Session }) {
  const view = useStore(session.view);
  const open = useStore(drawer);
  const isOnline = useStore(session.link).status === "online";
  // Before anybody sees the cards: no key and no change is lost.
  useLayoutEffect(() => listenToKeys(session), [session]);
  useLayoutEffect(() => accompany(session), [session]);
  return (
    <SessionContext.Provider value={session}>
      <div class="room" data-phase={view.round.phase} data-online={isOnline}>
        <Header />
        <Banner />
        <main id="table" class="table">
          <StoryLine key={view.currentStory.id} />
          <Head />
          <Seats />
          <Results />
        </main>
        <Dock />
      </div>
      {open === null && <Notice />}
      {open === "stories" && <Stories />}
      {open === "history" && <History />}
      {open === "invite" && <Invite />}
      {open === "menu" && <Menu />}
      {open === "help" && <Help />}
      {open?.startsWith("person:") && <Person key={open} id={open.slice("person:".length)} />}
    </SessionContext.Provider>
  );
}
