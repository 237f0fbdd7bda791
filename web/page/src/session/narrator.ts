// What happened, in sentences for those who listen: made from two states of
// the table, so that nothing is said twice and nothing that did not happen.

import type { TableState as View } from "cardroom-client";

import { text } from "../text";
import { clockText } from "../ui/now";
import { spokenResult } from "./advice";

export interface Said {
  /** Interrupts; the reveal does. */
  now: string | null;
  /** Waits its turn. */
  soon: string[];
  /** Who voted; many of them become one sentence. */
  voters: string[];
}

export function narrate(before: View, after: View): Said {
  const said: Said = { now: null, soon: [], voters: [] };
  const { round } = after;
  const isNewRound = round.roundId !== before.round.roundId;
  const nameOf = (id: string) => after.players.find((player) => player.id === id)?.name;

  if (round.phase === "revealed" && round.consensus && (before.round.phase !== "revealed" || isNewRound)) {
    said.now = spokenResult(round.consensus);
  } else if (isNewRound) {
    said.soon.push(text.spoken.newRound(after.currentStory.title || text.untitled));
  } else if (round.phase !== "revealed") {
    const known = new Set(before.round.votedPlayerIds);
    const still = new Set(round.votedPlayerIds);
    said.voters = round.votedPlayerIds.filter((id) => !known.has(id)).flatMap((id) => nameOf(id) ?? []);
    for (const id of before.round.votedPlayerIds) {
      const name = still.has(id) ? undefined : nameOf(id);
      if (name) said.soon.push(text.spoken.unvoted(name, round.voteCount, round.eligibleCount));
    }
  }
  if (round.phase === "countdown" && before.round.phase === "voting" && round.revealAt) {
    said.soon.push(text.countdownStarted(Math.ceil(after.settings.revealCountdownMs / 1_000)));
  } else if (round.phase === "voting" && before.round.phase === "countdown" && !isNewRound) {
    said.soon.push(text.countdownCancelled);
  }
  const were = new Map(before.players.map((player) => [player.id, player]));
  for (const player of after.players) if (!were.delete(player.id)) said.soon.push(text.spoken.joined(player.name));
  for (const player of were.values()) said.soon.push(text.spoken.left(player.name));
  if (before.timer.status !== after.timer.status && !isNewRound) {
    if (after.timer.status === "running" && before.timer.status !== "paused") said.soon.push(text.spoken.timerStarted(clockText(after.timer.duration)));
    if (after.timer.status === "expired") said.soon.push(text.spoken.timerEnd);
  }
  const estimate = after.currentStory.finalEstimate;
  if (estimate !== undefined && after.currentStory.id === before.currentStory.id && estimate !== before.currentStory.finalEstimate) {
    said.soon.push(text.spoken.estimateSet(after.currentStory.title || text.untitled, estimate));
  }
  return said;
}
