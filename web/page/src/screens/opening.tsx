// A moment between the address and the table.

import { useEffect, useState } from "preact/hooks";

import { text } from "../text";

/** Longer than this is worth a word. */
const LONG_MS = 4_000;

export function Opening() {
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    const timeout = setTimeout(() => setLong(true), LONG_MS);
    return () => clearTimeout(timeout);
  }, []);
  return (
    <div class="narrow-page">
      <main class="opening">
        <span class="place" data-side="back" aria-hidden="true">
          <span class="turn">
            <span class="back" />
          </span>
        </span>
        <h1>{text.lookingUp}</h1>
        <p class="hint" role="status">
          {isLong ? text.stillTrying : ""}
        </p>
      </main>
    </div>
  );
}
