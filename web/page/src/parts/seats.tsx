// Who sits at the table, in the order they came.

import { useView } from "../session/context";
import type { PlayerInfo as Player } from "cardroom-client";
import { text } from "../text";
import { Seat } from "./seat";

/** More than these are drawn small, so that all are seen at once. */
const ROOMY_SEATS_MAX = 12;

export function Seats() {
  const { players, playerId } = useView();
  const sorted = byArrival(players);
  return (
    <section class="felt" aria-labelledby="seats-title">
      <h2 id="seats-title" class="sr">
        {text.seats}
      </h2>
      <ul class="seats" aria-labelledby="seats-title" data-crowded={ROOMY_SEATS_MAX < sorted.length}>
        {sorted.map((player) => (
          <Seat key={player.id} player={player} isYou={player.id === playerId} />
        ))}
      </ul>
      {sorted.length < 2 && <p class="felt-hint">{text.alone}</p>}
    </section>
  );
}

export const byArrival = (players: readonly Player[]): Player[] =>
  [...players].sort((a, b) => a.joinedAt.localeCompare(b.joinedAt) || a.id.localeCompare(b.id));
