// Rounds that are over: those of the story on the table side by side, so that
// one sees who changed; then those of the other stories.

import { useEffect, useRef, useState } from "preact/hooks";

import { headline } from "../session/advice";
import { useSession, useView } from "../session/context";
import type { RoundSummaryInfo as RoundSummary } from "cardroom-client";
import { text } from "../text";
import { Drawer } from "./drawer";
import { Headline } from "./head";

export function History() {
  const session = useSession();
  const { stories, currentStory, round } = useView();
  /** Those that are over; `undefined` until they have been heard of. */
  const [rounds, setRounds] = useState<RoundSummary[]>();
  const [cursor, setCursor] = useState<number | undefined>();
  const [hasFailed, setFailed] = useState(false);

  const asked = useRef(0);
  const load = async (before?: number) => {
    const turn = ++asked.current;
    setFailed(false);
    const page = await session.history(before);
    // Asked again meanwhile: that answer counts.
    if (turn !== asked.current) return;
    if (page === null) return setFailed(true);
    setRounds((known = []) => [...page.rounds, ...(before === undefined ? [] : known)]);
    setCursor(page.cursor);
  };
  useEffect(() => void load(), [round.roundId]);

  // The round on the table alone would look like the whole story.
  if (rounds === undefined) {
    return (
      <Drawer title={text.history}>
        <p class="empty">{hasFailed ? text.historyFailed : text.historyComes}</p>
        {hasFailed && (
          <button type="button" class="plain" onClick={() => void load()}>
            {text.lookAgain}
          </button>
        )}
      </Drawer>
    );
  }

  const own = rounds.filter(({ storyId }) => storyId === currentStory.id);
  if (round.phase === "revealed" && round.votes) own.push({ ...round, isRevealed: true, endedAt: "" });
  const others = rounds.filter(({ storyId }) => storyId !== currentStory.id).reverse();
  return (
    <Drawer title={text.history}>
      {own.length + others.length === 0 && <p class="empty">{text.noHistory}</p>}
      {own.length > 0 && (
        <section class="rounds" aria-labelledby="history-own">
          <h3 id="history-own">{text.thisStory}</h3>
          <SideBySide rounds={own} />
        </section>
      )}
      {others.length > 0 && (
        <section class="rounds" aria-labelledby="history-others">
          <h3 id="history-others">{text.earlier}</h3>
          <ul class="round-list">
            {others.map((past) => {
              const story = stories.find(({ id }) => id === past.storyId);
              return (
                <li key={past.roundId}>
                  <p class="round-title">
                    <bdi>{story?.title || text.untitled}</bdi>
                    {story?.finalEstimate !== undefined && <span class="story-estimate figure">{story.finalEstimate}</span>}
                  </p>
                  <p class="hint">
                    {past.consensus ? <Headline words={headline(past.consensus)} /> : text.notRevealed(past.voteCount)}
                    {past.consensus && ` · ${past.consensus.distribution.map(({ value, count }) => `${value} × ${count}`).join(", ")}`}
                  </p>
                </li>
              );
            })}
          </ul>
        </section>
      )}
      {cursor !== undefined && (
        <button type="button" class="plain" onClick={() => void load(cursor)}>
          {text.showMore}
        </button>
      )}
    </Drawer>
  );
}

function SideBySide({ rounds }: { rounds: RoundSummary[] }) {
  const names = new Map<string, string>();
  for (const { votes } of rounds) {
    for (const vote of votes ?? []) if (vote.playerId) names.set(vote.playerId, vote.playerName ?? "");
  }
  const played = (round: RoundSummary, player: string) => round.votes?.find(({ playerId }) => playerId === player)?.value ?? "–";
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={text.sideBySide}>
      <table class="side-by-side">
        <thead>
          <tr>
            <th scope="col">{text.person}</th>
            {rounds.map(({ roundId }, index) => (
              <th scope="col" key={roundId}>
                {text.roundNumber(index + 1)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[...names].map(([id, name]) => (
            <tr key={id}>
              <th scope="row">
                <bdi>{name}</bdi>
              </th>
              {rounds.map((round, index) => {
                const value = played(round, id);
                const last = rounds[index - 1];
                const hasChanged = last !== undefined && played(last, id) !== value;
                return (
                  <td key={round.roundId} data-changed={hasChanged}>
                    <span class="figure">{value}</span>
                    {hasChanged && <span class="sr"> {text.changedFrom(played(last, id))}</span>}
                  </td>
                );
              })}
            </tr>
          ))}
          <tr class="side-sum">
            <th scope="row">{text.result}</th>
            {rounds.map((round) => (
              <td key={round.roundId}>{round.consensus ? headline(round.consensus) : text.notRevealed(round.voteCount)}</td>
            ))}
          </tr>
        </tbody>
      </table>
    </div>
  );
}
