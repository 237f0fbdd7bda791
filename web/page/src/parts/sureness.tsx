// How sure the own vote is, from 1 to 5.

import type { Confidence } from "cardroom-client";

import { useSession } from "../session/context";
import { text } from "../text";
import { useStore } from "../ui/store";

export function Sureness() {
  const session = useSession();
  const { card, confidence } = useStore(session.ballot.state);
  return (
    <fieldset class="sureness" disabled={card === null} aria-label={text.sureness}>
      <legend>{confidence === null ? text.sureness : text.sure[confidence - 1]}</legend>
      <div class="sureness-row">
        {text.sure.map((label, index) => {
          const value = index + 1;
          return (
            <label key={value} class="sure" data-filled={confidence !== null && value <= confidence} title={label}>
              <input
                type="radio"
                name="confidence"
                value={value}
                aria-label={label}
                checked={confidence === value}
                onChange={() => session.ballot.rate(value as Confidence)}
              />
              <span class="sure-bar" style={{ "--step": value }} />
            </label>
          );
        })}
      </div>
    </fieldset>
  );
}
