// Keys of the room. Single characters choose cards (off in the preferences,
// WCAG 2.1.4) and never act while somebody types into a field.

import { drawer, openDrawer } from "../parts/drawer";
import { device } from "../ui/device";
import type { Session } from "./session";

export function listenToKeys(session: Session): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey) return;
    if (event.altKey) return void (shortcut(session, event) && event.preventDefault());
    if (drawer.value !== null || !device.value.singleKeys || isTyping(event.target)) return;
    if (session.view.value.round.phase === "revealed" && !session.view.value.settings.allowChangeAfterReveal) return;
    if (session.me().isSpectator) return;
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      session.ballot.clear();
    } else if (event.key.length === 1 && event.key !== " ") {
      const card = nextCard(session, event.key);
      if (card !== null) {
        event.preventDefault();
        session.ballot.choose(card);
      }
    }
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}

/** The cards that begin with the character, one after the other: 1, 13, 1, … */
function nextCard(session: Session, key: string): string | null {
  const typed = key.toLowerCase();
  const cards = session.view.value.settings.deck.cards.map(({ value }) => value);
  const matching = cards.filter((value) => value.toLowerCase().startsWith(typed));
  const at = matching.indexOf(session.ballot.state.value.card ?? "");
  return matching[(at + 1) % matching.length] ?? null;
}

/** By the place of the key: Option changes the character on a Mac. */
function shortcut(session: Session, event: KeyboardEvent): boolean {
  const { can } = session.view.value;
  switch (event.code) {
    case "KeyR":
      if (can.reveal) void session.reveal();
      return true;
    case "KeyN":
      if (can.reset) void session.newRound();
      return true;
    case "KeyT":
      if (can.timer) void session.toggleTimer();
      return true;
    case "KeyI":
      openDrawer("invite");
      return true;
    case "KeyK":
      openDrawer("help");
      return true;
    default:
      return false;
  }
}

const TYPED_IN = "input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]";

const isTyping = (target: EventTarget | null): boolean => target instanceof Element && target.closest(TYPED_IN) !== null;
