// The own cards: a group of real radio buttons. Arrows walk, Space and Enter
// play, so that walking along the deck is no flood of votes.

import { useRef } from "preact/hooks";

import { cardName } from "../session/advice";
import { useSession, useView } from "../session/context";
import { text } from "../text";
import { Icon } from "../ui/icon";
import { useStore } from "../ui/store";
import { BallotState } from "./ballot-state";
import { Face } from "./card";
import { Sureness } from "./sureness";

export function Deck() {
  const session = useSession();
  const view = useView();
  const ballot = useStore(session.ballot.state);
  const group = useRef<HTMLFieldSetElement>(null);
  const cards = view.settings.deck.cards;

  const walk = (event: KeyboardEvent) => {
    const inputs = [...(group.current?.querySelectorAll("input") ?? [])];
    const at = inputs.indexOf(event.target as HTMLInputElement);
    if (at < 0) return;
    const steps: Record<string, number> = {
      ArrowRight: at + 1,
      ArrowDown: at + 1,
      ArrowLeft: at - 1,
      ArrowUp: at - 1,
      Home: 0,
      End: inputs.length - 1,
    };
    const to = steps[event.key];
    if (to !== undefined) {
      event.preventDefault();
      inputs[(to + inputs.length) % inputs.length]?.focus();
    } else if (event.key === "Enter") {
      event.preventDefault();
      inputs[at]?.click();
    }
  };

  return (
    <div class="deck">
      <fieldset class="hand" ref={group} onKeyDown={walk}>
        <legend class="sr">{text.deckLabel}</legend>
        {cards.map((card) => (
          <label class="pick" key={card.value} data-special={card.special}>
            <input
              type="radio"
              name="card"
              value={card.value}
              aria-label={cardName(card)}
              checked={ballot.card === card.value}
              onChange={() => session.ballot.choose(card.value)}
            />
            <Face card={card} />
            <span class="pick-mark">
              <Icon name="check" />
            </span>
          </label>
        ))}
      </fieldset>
      <div class="deck-foot">
        <BallotState />
        {view.settings.confidence && <Sureness />}
        <button type="button" class="quiet" disabled={ballot.card === null} onClick={() => session.ballot.clear()}>
          {text.clearVote}
        </button>
      </div>
    </div>
  );
}
