// The revealed cards, counted: a table that looks like bars.

import { percent } from "../session/advice";
import { useView } from "../session/context";
import type { ConsensusData as Consensus, VoteResult } from "cardroom-client";
import { text } from "../text";
import { cardOf, nameOf, Value } from "./card";

export function Results() {
  const { round, settings } = useView();
  const { votes, consensus } = round;
  if (!votes || !consensus) return null;
  const cards = settings.deck.cards;
  const most = Math.max(1, ...consensus.distribution.map(({ count }) => count));
  const missing = votes.filter(({ value }) => value === null);
  const outliers = new Set(consensus.outliers.map(({ playerId }) => playerId));
  return (
    <section class="results" aria-label={text.result}>
      <table>
        <caption class="sr">{text.resultCaption}</caption>
        <thead class="sr">
          <tr>
            <th scope="col">{text.card}</th>
            <th scope="col">{text.votes}</th>
            <th scope="col">{text.who}</th>
          </tr>
        </thead>
        <tbody>
          {consensus.distribution.map(({ value, count }) => (
            <tr key={value} data-top={count === most && consensus.modes.includes(value)}>
              <th scope="row">
                <span class="sr">{nameOf(cards, value)}</span>
                <span class="result-card" aria-hidden="true">
                  <Value card={cardOf(cards, value)} />
                </span>
              </th>
              <td class="result-count">
                <span class="result-bar" aria-hidden="true" style={{ transform: `scaleX(${count / most})` }} />
                <span class="figure">{count}</span>
              </td>
              <td class="result-who">
                <Names votes={votes.filter((vote) => vote.value === value)} outliers={outliers} />
              </td>
            </tr>
          ))}
          {missing.length > 0 && (
            <tr class="result-none">
              <th scope="row" colSpan={2}>
                {text.noVote} <span class="figure">{missing.length}</span>
              </th>
              <td class="result-who">
                <Names votes={missing} outliers={outliers} />
              </td>
            </tr>
          )}
        </tbody>
      </table>
      {settings.anonymous && <p class="hint">{text.anonymousVotes}</p>}
      <Numbers consensus={consensus} />
    </section>
  );
}

function Names({ votes, outliers }: { votes: VoteResult[]; outliers: Set<string> }) {
  return (
    <>
      {votes
        .filter(({ playerName }) => playerName !== null)
        .map((vote, index) => (
          <span key={vote.playerId} class="result-name">
            {index > 0 && ", "}
            <bdi>{vote.playerName}</bdi>
            {vote.playerId !== null && outliers.has(vote.playerId) && <em> {text.pleaseExplain}</em>}
          </span>
        ))}
    </>
  );
}

function Numbers({ consensus }: { consensus: Consensus }) {
  const rows: [string, string | null][] = [
    [text.average, consensus.averageValue === null ? null : String(consensus.averageValue)],
    [text.median, consensus.median === null ? null : String(consensus.median)],
    [text.agreement, consensus.estimateCount === 0 ? null : `${percent(consensus.agreement)} %`],
    [text.spread, consensus.spreadSteps === null ? null : text.steps(consensus.spreadSteps)],
    [text.sureAverage, consensus.averageConfidence === null ? null : `${consensus.averageConfidence} / 5`],
  ];
  return (
    <dl class="numbers">
      {rows
        .filter(([, value]) => value !== null)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
