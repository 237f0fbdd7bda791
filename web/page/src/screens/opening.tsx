// A moment between the address and the table.

import { text } from "../text";

export function Opening() {
  return (
    <div class="narrow-page">
      <main class="opening">
        <span class="place" data-side="back" aria-hidden="true">
          <span class="turn">
            <span class="back" />
          </span>
        </span>
        <h1>{text.lookingUp}</h1>
      </main>
    </div>
  );
}
