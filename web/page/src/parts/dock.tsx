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

  if (isRevealed && !(settings.allowChangeAfterReveal && card !== null && !isWatching)) {
    return (
      <section class="dock" aria-label={text.estimate}>
        <Estimate key={round.roundId} />
        <div class="dock-foot">
          {!isWatching && (
            <p class="dock-own">
              {card === null ? (
                text.playedNone
              ) : (
                <>
                  <Face card={cardOf(cards, card)} />
                  {text.played(nameOf(cards, card))}
                </>
              )}
            </p>
          )}
          <Reactions />
        </div>
      </section>
    );
  }
  return (
    <section class="dock" aria-label={text.deckLabel}>
      {isRevealed && <Estimate key={round.roundId} />}
      {isWatching ? (
        <div class="dock-foot">
          <p class="dock-own">{text.deckWatching}</p>
          <button type="button" class="plain" onClick={() => void session.watch(false)}>
            {text.joinIn}
          </button>
          <Reactions />
        </div>
      ) : (
        <>
          {isRevealed && <p class="hint">{text.canChange}</p>}
          <Deck />
        </>
      )}
    </section>
  );
}
