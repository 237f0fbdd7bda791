// Focus is never lost when the phase changes: what held it may be gone, and
// then it goes to the headline; what still stands keeps it.

import { useLayoutEffect, useRef } from "preact/hooks";

export function useFocusGuard(): void {
  const held = useRef<Element | null>(null);
  useLayoutEffect(() => {
    const remember = () => void (held.current = document.activeElement);
    document.addEventListener("focusin", remember);
    return () => document.removeEventListener("focusin", remember);
  }, []);
  useLayoutEffect(() => {
    const was = held.current;
    if (was && was !== document.body && !was.isConnected && document.activeElement === document.body) {
      document.getElementById("head-line")?.focus({ preventScroll: true });
    }
  });
}
