// One seat: its card, who it is, and in words what it does.

import { useSession, useView } from "../session/context";
import type { PlayerInfo as Player, TableState as View } from "cardroom-client";
import { text } from "../text";
import { Icon } from "../ui/icon";
import { useStore } from "../ui/store";
import { cardOf, nameOf, Place } from "./card";
import { openDrawer } from "./drawer";

export function Seat({ player, isYou }: { player: Player; isYou: boolean }) {
  const view = useView();
  const reaction = useStore(useSession().reactions)[player.id];
  const { round, settings, can } = view;
  const vote = round.votes?.find(({ playerId }) => playerId === player.id);
  const value = vote?.value ?? null;
  const isOutlier = round.consensus?.outliers.some(({ playerId }) => playerId === player.id) ?? false;
  const hasVoted = round.votedPlayerIds.includes(player.id);
  const state = stateOf(view, player, value, isOutlier);
  const side = value !== null ? "face" : hasVoted ? "back" : "empty";
  const cards = settings.deck.cards;
  const title = [
    player.name,
    isYou ? text.you : null,
    roleOf(player),
    value === null ? null : nameOf(cards, value),
    state,
  ];
  const mayOpen = isYou || can.manage;
  return (
    <li class="seat" data-side={side} data-outlier={isOutlier} data-here={player.isOnline && !player.isAway} data-watching={player.isSpectator} data-you={isYou}>
      <span class="sr">{title.filter((part) => part !== null && part !== "").join(", ")}</span>
      {player.isSpectator ? (
        <span class="place watching" aria-hidden="true">
          <Icon name="eye" />
        </span>
      ) : (
        <Place side={side} card={value === null ? null : cardOf(cards, value)} />
      )}
      <span class="seat-words" aria-hidden="true">
        <span class="seat-who">
          <span class="seat-emoji">{emojiOf(player.avatar)}</span>
          <bdi class="seat-name">{player.name}</bdi>
          {player.isHost && <Icon name="crown" />}
        </span>
        <span class="seat-state">
          {state === text.voted && <Icon name="check" />}
          {isYou && state === "" ? text.you : state}
          {vote?.initialValue && ` · ${text.changedFrom(vote.initialValue)}`}
        </span>
      </span>
      {reaction && (
        <span class="seat-reaction" key={reaction.at} aria-hidden="true">
          {reaction.emoji}
        </span>
      )}
      {mayOpen && (
        <button type="button" class="seat-more" aria-label={text.seatMore(player.name)} onClick={() => openDrawer(`person:${player.id}`)} />
      )}
    </li>
  );
}

function stateOf({ round }: View, player: Player, value: string | null, isOutlier: boolean): string {
  const isRevealed = round.phase === "revealed";
  if (player.isSpectator) return text.watching;
  if (value !== null) return isOutlier ? text.pleaseExplain : "";
  if (!isRevealed && round.votedPlayerIds.includes(player.id)) return text.voted;
  if (!player.isOnline) return text.offline;
  if (player.isAway) return text.away;
  return isRevealed ? text.noVote : text.thinking;
}

function roleOf(player: Player): string | null {
  if (player.isActingHost) return text.actingHost;
  if (player.isHost) return text.host;
  return player.role === "facilitator" ? text.facilitator : null;
}

/** A slug of another client has no picture here. */
export const emojiOf = (avatar: string): string => (/^[a-z0-9-]+$/.test(avatar) ? "👤" : avatar);
