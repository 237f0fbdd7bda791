// What lies in front of the player: the deck while cards are played, what to
// make of them afterwards.

import { useStore } from "../ui/store";
import { useSession, useView } from "../session/context";
import { text } from "../text";
import { cardOf, Face, nameOf } from "./card";
import { Deck } from "./deck";
import { Estimate } from "./estimate";
import { Reactions } from "./reactions";

export function Dock() {
  const session = useSession();
  const view = useView();
  const { card } = useStore(session.ballot.state);
  const { round, settings, me } = view;
  const isWatching = me.isSpectator;
  const isRevealed = round.phase === "revealed";
  const cards = settings.deck.cards;

  const foot = (
    <div class="dock-foot">
      {isWatching ? (
        <p class="dock-own">
          {text.deckWatching}
          <button type="button" class="plain" onClick={() => void session.watch(false)}>
            {text.joinIn}
          </button>
        </p>
      ) : (
        <p class="dock-own">
          {card !== null && <Face card={cardOf(cards, card)} />}
          {card === null ? text.playedNone : text.played(nameOf(cards, card))}
        </p>
      )}
      <Reactions />
    </div>
  );
  const mayChange = settings.allowChangeAfterReveal && card !== null;
  const hasDeck = !isWatching && (!isRevealed || mayChange);
  return (
    <section class="dock" aria-label={isRevealed ? text.estimate : text.deckLabel}>
      {isRevealed && <Estimate key={round.roundId} />}
      {isRevealed && hasDeck && <p class="hint">{text.canChange}</p>}
      {hasDeck ? <Deck /> : foot}
    </section>
  );
}
