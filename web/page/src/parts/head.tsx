// How the round stands, and what may be done about it.

import { useState } from "preact/hooks";

import { headline, mood, percent } from "../session/advice";
import { useSession, useView } from "../session/context";
import type { ConsensusData as Consensus } from "cardroom-client";
import { text } from "../text";
import { useNow } from "../ui/now";
import { useStore } from "../ui/store";
import { Timer } from "./timer";

export function Head() {
  const session = useSession();
  const { round, can, players, currentStory } = useView();
  const asked = useStore(session.asking);
  const isOnline = useStore(session.link).status === "online";
  const missing = Math.max(0, round.eligibleCount - round.voteCount);
  const isRevealed = round.phase === "revealed";

  if (round.phase === "countdown") return <Countdown revealAt={round.revealAt ?? 0} />;

  if (asked !== null && !isRevealed) {
    const isReveal = asked === "reveal";
    const keep = () => session.asking.set(null);
    const go = () => void (isReveal ? session.reveal(true) : session.newRound(true));
    return (
      <section class="head asking" data-leads="true" data-mood="open" aria-label={text.result}>
        <p class="head-line" role="alert">
          {isReveal ? text.revealAnyway(missing) : text.newRoundAnyway}
        </p>
        <div class="head-acts">
          <button type="button" class="plain" ref={focused} onClick={keep}>
            {text.keepVoting}
          </button>
          <button type="button" class="primary" onClick={go}>
            {isReveal ? text.reveal : text.newRound}
          </button>
        </div>
      </section>
    );
  }

  const share = round.eligibleCount === 0 ? 0 : round.voteCount / round.eligibleCount;
  const isOpenStory = currentStory.finalEstimate === undefined;
  return (
    <section class="head" data-leads={can.reveal} data-mood={round.consensus ? mood(round.consensus) : "open"} aria-labelledby="head-line">
      <h2 class="head-line" id="head-line" tabIndex={-1}>
        {round.consensus ? <Headline words={headline(round.consensus)} /> : words(round.voteCount, round.eligibleCount)}
      </h2>
      {isRevealed ? (
        <p class="head-more">{isOpenStory ? shortNumbers(round.consensus) : text.estimateSet(currentStory.finalEstimate ?? "")}</p>
      ) : (
        <div class="progress" role="presentation" data-all={share === 1}>
          <Bar share={share} />
        </div>
      )}
      {!isRevealed && (
        <div class="head-acts">
          {can.reveal ? (
            <button type="button" class="primary" disabled={!isOnline || round.voteCount === 0} onClick={() => void session.reveal()}>
              {missing > 0 && round.voteCount > 0 ? text.revealMissing(missing) : text.reveal}
            </button>
          ) : (
            players.length > 1 && <p class="head-more">{text.waitForReveal}</p>
          )}
          {can.reset && round.voteCount > 0 && (
            <button type="button" class="quiet" disabled={!isOnline} onClick={() => void session.newRound()}>
              {text.newRound}
            </button>
          )}
        </div>
      )}
      <Timer />
    </section>
  );
}

const focused = (element: HTMLElement | null) => element?.focus();

function words(voted: number, eligible: number): string {
  if (voted === 0) return text.nobodyYet;
  return voted === eligible ? text.allVoted : text.votedOf(voted, eligible);
}

function shortNumbers(consensus: Consensus | undefined): string {
  if (!consensus || consensus.estimateCount === 0) return "";
  const agreement = `${text.agreement} ${percent(consensus.agreement)} %`;
  return consensus.averageValue === null ? agreement : `${text.average} ${consensus.averageValue} · ${agreement}`;
}

/** The figures of a headline are set like those of the cards. */
export function Headline({ words }: { words: string }) {
  return (
    <>
      {words.split(/(\d+(?:\.\d+)?)/).map((part, index) => (index % 2 === 1 ? <span class="figure">{part}</span> : part))}
    </>
  );
}

function Bar({ share }: { share: number }) {
  return <span class="bar" style={{ transform: `scaleX(${share})` }} />;
}

function Countdown({ revealAt }: { revealAt: number }) {
  const session = useSession();
  const { can } = useView();
  const [startedAt] = useState(() => Date.now());
  const localEnd = revealAt - session.clockOffset();
  const now = useNow(localEnd);
  const seconds = Math.max(1, Math.ceil((localEnd - now) / 1_000));
  // A second click on "Reveal" is no wish to stop.
  const cancel = () => Date.now() - startedAt > 400 && void session.cancelCountdown();
  return (
    <section class="head counting" data-leads={can.reveal} data-mood="open" aria-labelledby="head-line">
      <h2 class="head-line" id="head-line" tabIndex={-1}>
        {text.revealingIn} <span class="sr">{seconds}</span>
      </h2>
      <span class="count figure" key={seconds} aria-hidden="true">
        {seconds}
      </span>
      <div class="head-acts">
        {can.reveal && (
          <button type="button" class="plain" onClick={cancel}>
            {text.cancelCountdown}
          </button>
        )}
      </div>
    </section>
  );
}
