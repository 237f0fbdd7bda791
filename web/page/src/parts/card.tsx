// A card: its face with the value, and its back, which is the same for all.

import { cardName } from "../session/advice";
import type { CardInfo as Card } from "cardroom-client";
import { Icon } from "../ui/icon";

/** The drawing on a face. Who listens is told `cardName` by what holds it. */
export function Face({ card }: { card: Card }) {
  return (
    <span class="face" data-length={Math.min([...card.value].length, 5)} aria-hidden="true">
      <Value card={card} />
    </span>
  );
}

export function Value({ card }: { card: Card }) {
  if (card.special === "break") return <Icon name="coffee" />;
  if (card.special === "infinite") return <Icon name="infinite" />;
  return <span class="value">{card.value}</span>;
}

/** A place on the table: empty, with a card face down, or turned. */
export function Place({ side, card }: { side: "empty" | "back" | "face"; card: Card | null }) {
  return (
    <span class="place" data-side={side} aria-hidden="true">
      <span class="turn">
        <span class="back" />
        {card ? <Face card={card} /> : <span class="face" />}
      </span>
    </span>
  );
}

/** The deck's card for a played value; of an older deck, just its text. */
export const cardOf = (cards: readonly Card[], value: string): Card =>
  cards.find((card) => card.value === value) ?? { value };

export const nameOf = (cards: readonly Card[], value: string): string => cardName(cardOf(cards, value));
