// The word mark, and three cards being turned.

import { text } from "../text";
import { Face } from "./card";

const HAND = ["3", "5", "8"];

export function Brand() {
  return (
    <div class="brand">
      <span class="fan" aria-hidden="true">
        {HAND.map((value) => (
          <Face key={value} card={{ value }} />
        ))}
      </span>
      <h1 class="wordmark">{text.product}</h1>
    </div>
  );
}
