// Sheets that come in from the side: one at a time, closed by Escape, a tap
// beside them, or the browser's way back.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { text } from "../text";
import { Icon } from "../ui/icon";
import { Store } from "../ui/store";
import { Notice } from "./notice";

export type DrawerName = "stories" | "history" | "invite" | "menu" | "help" | `person:${string}`;

export const drawer = new Store<DrawerName | null>(null);

/** The browser goes back a moment after it is asked to. */
let isGoingBack = false;

export function openDrawer(name: DrawerName): void {
  if (drawer.value === null && !isGoingBack) enter();
  drawer.set(name);
}

/** Closes what is open, or only the one that is named. */
export function closeDrawer(name = drawer.value): void {
  if (drawer.value === null || drawer.value !== name) return;
  drawer.set(null);
  if (isGoingBack || !(history.state as { drawer?: boolean } | null)?.drawer) return;
  isGoingBack = true;
  history.back();
}

const enter = () => history.pushState({ drawer: true }, "");

addEventListener("popstate", () => {
  if (!isGoingBack) return drawer.set(null);
  isGoingBack = false;
  // Opened meanwhile: it was not meant.
  if (drawer.value !== null) enter();
});

interface Props {
  title: string;
  children: ComponentChildren;
  narrow?: boolean;
}

export function Drawer({ title, children, narrow }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (!element) return;
    element.showModal();
    // Its removal would drop the focus; its end gives it back.
    return () => element.close();
  }, []);
  const beside = (event: MouseEvent) => {
    if (event.target === dialog.current) closeDrawer();
  };
  const cancelled = (event: Event) => {
    event.preventDefault();
    closeDrawer();
  };
  return (
    <dialog ref={dialog} class={narrow ? "drawer narrow" : "drawer"} aria-labelledby="drawer-title" onClick={beside} onCancel={cancelled}>
      <div class="drawer-sheet">
        <header class="drawer-head">
          <h2 id="drawer-title" tabIndex={-1} autofocus>
            {title}
          </h2>
          <button type="button" class="quiet square" aria-label={text.close_} onClick={() => closeDrawer()}>
            <Icon name="close" />
          </button>
        </header>
        <div class="drawer-body">{children}</div>
        {/* What is behind a drawer can neither be seen nor reached. */}
        <Notice />
      </div>
    </dialog>
  );
}
