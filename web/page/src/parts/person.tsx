// One person: oneself to change, others to help or to send away.

import { useState } from "preact/hooks";

import { useSession, useView } from "../session/context";
import type { PlayerInfo as Player } from "cardroom-client";
import { text } from "../text";
import { Ask } from "./ask";
import { closeDrawer, Drawer } from "./drawer";
import { FacePicker } from "./face-picker";
import { emojiOf } from "./seat";
import { Toggle } from "./toggle";

export function Person({ id }: { id: string }) {
  const { players, playerId } = useView();
  const player = players.find((one) => one.id === id);
  if (!player) return null;
  const isYou = player.id === playerId;
  return (
    <Drawer title={isYou ? text.editYou : player.name} narrow>
      {isYou ? <Self player={player} /> : <Other player={player} />}
    </Drawer>
  );
}

function Self({ player }: { player: Player }) {
  const session = useSession();
  const [name, setName] = useState(player.name);
  const [avatar, setAvatar] = useState(emojiOf(player.avatar));
  const save = async (event: Event) => {
    event.preventDefault();
    if (name.trim() && (await session.updateMe(name.trim(), avatar))) closeDrawer(`person:${player.id}`);
  };
  return (
    <>
      <form class="stack" onSubmit={save}>
        <div class="who">
          <FacePicker value={avatar} onChange={setAvatar} />
          <label class="field grow">
            <span>{text.yourName}</span>
            <input value={name} maxLength={50} required autocomplete="nickname" onInput={(event) => setName(event.currentTarget.value)} />
          </label>
        </div>
        <button type="submit" class="primary">
          {text.save}
        </button>
      </form>
      <Toggle label={text.watchOnly} hint={text.watchOnlyHint} isOn={player.isSpectator} onChange={(isOn) => void session.watch(isOn)} />
      <Toggle label={text.stepAway} isOn={player.isAway} onChange={(isOn) => void session.setAway(isOn)} />
    </>
  );
}

function Other({ player }: { player: Player }) {
  const session = useSession();
  const { me, round } = useView();
  const isHost = me.isHost;
  const isMissing = !player.isSpectator && !round.votedPlayerIds.includes(player.id) && round.phase === "voting";
  return (
    <div class="stack">
      <p class="who-shown">
        <span aria-hidden="true">{emojiOf(player.avatar)}</span>
        <bdi>{player.name}</bdi>
      </p>
      {isMissing && player.isOnline && (
        <button type="button" class="primary" onClick={() => void session.nudge(player.id)}>
          <span>{text.nudge}</span>
        </button>
      )}
      <button type="button" class="plain" onClick={() => void session.setSpectator(player.id, !player.isSpectator)}>
        {player.isSpectator ? text.makePlay : text.makeWatch}
      </button>
      {isHost && player.role !== "host" && (
        <button type="button" class="plain" onClick={() => void session.setFacilitator(player.id, player.role === "player")}>
          {player.role === "player" ? text.makeFacilitator : text.takeFacilitator}
        </button>
      )}
      {isHost && <Ask act={text.makeHost} question={text.makeHostAsk(player.name)} onYes={() => void session.transfer(player.id)} />}
      {!player.isHost && player.role !== "host" && (
        <Ask
          act={text.remove}
          question={text.removeAsk(player.name)}
          onYes={async () => {
            if (await session.remove(player.id)) closeDrawer(`person:${player.id}`);
          }}
        />
      )}
    </div>
  );
}
