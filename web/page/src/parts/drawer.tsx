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

export function openDrawer(name: DrawerName): void {
  if (drawer.value === null) history.pushState({ drawer: true }, "");
  drawer.set(name);
}

export function closeDrawer(): void {
  if (drawer.value === null) return;
  drawer.set(null);
  if ((history.state as { drawer?: boolean } | null)?.drawer) history.back();
}

addEventListener("popstate", () => drawer.set(null));

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
          <button type="button" class="quiet square" aria-label={text.close_} onClick={closeDrawer}>
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
