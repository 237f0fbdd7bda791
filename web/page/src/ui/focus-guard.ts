// Focus is never lost: when what held it is gone, it goes to the heading of
// what is there instead; what still stands keeps it.

export function guardFocus(): void {
  let held: Element | null = null;
  document.addEventListener("focusin", (event) => void (held = event.target as Element));
  new MutationObserver(() => {
    if (!held || held.isConnected || document.activeElement !== document.body) return;
    held = null;
    const heading = HEADINGS.map((selector) => document.querySelector<HTMLElement>(selector)).find((found) => found !== null);
    if (!heading) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }).observe(document.body, { childList: true, subtree: true });
}

const HEADINGS = ["dialog[open] h2", "#head-line", "main h1", "h1"];
