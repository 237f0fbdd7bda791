// What a revealed round says, in one line.

import { text } from "../text";
import type { CardInfo as Card, ConsensusData as Consensus } from "cardroom-client";

export function headline(consensus: Consensus): string {
  const { advice, level, lowest, highest, modes, specialCounts } = consensus;
  switch (advice) {
    case "no_votes":
      return text.noVotes;
    case "take_break":
      return text.coffee;
    case "split_story":
      return text.tooBig;
    case "need_info":
      return text.needInfo(specialCounts.unknown);
    case "accept":
      return text.agreed(modes[0] ?? "");
    case "hear_outliers":
      return text.agreedButHear(modes[0] ?? "");
    case "confirm":
      return text.close(lowest === highest ? (lowest ?? "") : `${lowest}${text.or}${highest}`);
    default:
      return level === "single" ? text.onlyOne(lowest ?? "") : text.talk(lowest ?? "", highest ?? "");
  }
}

/** How settled a round is: colours follow it, and words say the same. */
export function mood(consensus: Consensus): "agreed" | "close" | "talk" {
  if (consensus.advice === "accept") return "agreed";
  return consensus.advice === "confirm" || consensus.advice === "hear_outliers" ? "close" : "talk";
}

/** For readers: "Cards revealed. Agreed on 5. Average 5.6, agreement 80 percent." */
export function spokenResult(consensus: Consensus): string {
  const said = consensus.advice === "accept" ? text.spoken.agreedOn(consensus.modes[0] ?? "") : headline(consensus);
  const numbers = [
    consensus.averageValue === null ? null : text.spoken.average(consensus.averageValue),
    consensus.estimateCount === 0 ? null : text.spoken.agreement(percent(consensus.agreement)),
  ].filter((part) => part !== null);
  const rest = numbers.join(", ");
  return `${text.spoken.revealed(said)}${rest ? ` ${rest[0]?.toUpperCase()}${rest.slice(1)}.` : ""}`;
}

export const percent = (share: number): number => Math.round(share * 100);

export function cardName(card: Card): string {
  if (card.special) return text.specials[card.special];
  return card.numeric === undefined ? card.value : text.points(card.value);
}
