// The session's settings for those who run it, this device's for everybody,
// and the ways out.

import { useState } from "preact/hooks";

import { DECKS } from "../session/decks";
import { useSession, useView } from "../session/context";
import type { SessionSettings as Settings } from "cardroom-client";
import { text } from "../text";
import { clockText } from "../ui/now";
import { Ask } from "./ask";
import { Drawer, openDrawer } from "./drawer";
import { Exports } from "./exports";
import { DevicePreferences } from "./preferences";
import { Select } from "./select";
import { Toggle } from "./toggle";

export function Menu() {
  const session = useSession();
  const { me, can, settings } = useView();
  const isHost = me.isHost;
  return (
    <Drawer title={text.menu}>
      {isHost && <SessionSettings settings={settings} />}
      {!isHost && can.manage && <Toggle label={text.lock} isOn={settings.locked} onChange={(locked) => void session.lock(locked)} />}
      <section class="group" aria-labelledby="menu-device">
        <h3 id="menu-device">{text.thisDevice}</h3>
        <DevicePreferences />
        <button type="button" class="plain" onClick={() => openDrawer("help")}>
          {text.help}
        </button>
      </section>
      <section class="group" aria-labelledby="menu-export">
        <h3 id="menu-export">{text.export}</h3>
        <p class="hint">{text.exportHint}</p>
        <Exports />
      </section>
      <section class="group row" aria-label={text.leave}>
        <Ask act={text.leave} question={text.leaveAsk} onYes={() => void session.leave()} />
        {isHost && <Ask act={text.end} question={text.endAsk} onYes={() => void session.end()} />}
      </section>
    </Drawer>
  );
}

function SessionSettings({ settings }: { settings: Settings }) {
  const session = useSession();
  const { round } = useView();
  const [name, setName] = useState(settings.name);
  const [deckAsked, setDeckAsked] = useState<string | null>(null);
  const change = (part: Record<string, unknown>) => void session.configure(part);
  const rename = (event: Event) => {
    event.preventDefault();
    if (name.trim() && name !== settings.name) change({ name: name.trim() });
  };
  const takeDeck = (deck: string) => {
    if (round.voteCount > 0 && round.phase !== "revealed") setDeckAsked(deck);
    else change({ deck, ...(round.voteCount > 0 ? { force: true } : {}) });
  };
  const isOpen = Object.values(settings.permissions).every((holders) => holders === "everyone");
  const decks = [...DECKS.map(({ id, name }) => [id, name] as const)];
  const isCustom = !decks.some(([id]) => id === settings.deck.id);
  return (
    <section class="group" aria-labelledby="menu-session">
      <h3 id="menu-session">{text.session}</h3>
      <form class="row end" onSubmit={rename}>
        <label class="field grow">
          <span>{text.sessionName}</span>
          <input value={name} maxLength={100} required autocomplete="off" onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <button type="submit" class="plain" disabled={name.trim() === "" || name === settings.name}>
          {text.rename}
        </button>
      </form>
      <Select
        label={text.deck}
        value={settings.deck.id}
        options={isCustom ? [...decks, [settings.deck.id, settings.deck.name] as const] : decks}
        onChange={takeDeck}
      />
      {deckAsked !== null && (
        <div class="asked" role="alert">
          <p>{text.deckChangeLosesVotes}</p>
          <button
            type="button"
            class="danger"
            onClick={() => {
              change({ deck: deckAsked, force: true });
              setDeckAsked(null);
            }}
          >
            {text.yes}
          </button>
          <button type="button" class="quiet" onClick={() => setDeckAsked(null)}>
            {text.no}
          </button>
        </div>
      )}
      <Select
        label={text.countdown}
        value={String(settings.revealCountdownMs)}
        options={steps([0, 1_000, 2_000, 3_000, 5_000, 10_000], settings.revealCountdownMs, (ms) => text.seconds(ms / 1_000))}
        onChange={(value) => change({ revealCountdownMs: Number(value) })}
      />
      <Select
        label={text.timerLength}
        value={String(settings.timerSeconds)}
        options={steps([30, 60, 90, 120, 180, 300, 600], settings.timerSeconds, clockText)}
        onChange={(value) => change({ timerSeconds: Number(value) })}
      />
      <Toggle label={text.autoReveal} isOn={settings.autoReveal} onChange={(autoReveal) => change({ autoReveal })} />
      <Toggle label={text.timerReveals} isOn={settings.timerOnExpire === "reveal"} onChange={(isOn) => change({ timerOnExpire: isOn ? "reveal" : "none" })} />
      <Toggle label={text.allowChange} isOn={settings.allowChangeAfterReveal} onChange={(allowChangeAfterReveal) => change({ allowChangeAfterReveal })} />
      <Toggle label={text.confidence} isOn={settings.confidence} onChange={(confidence) => change({ confidence })} />
      <Toggle label={text.anonymous} isOn={settings.anonymous} onChange={(anonymous) => change({ anonymous })} />
      <Toggle label={text.reactions} isOn={settings.reactions} onChange={(reactions) => change({ reactions })} />
      <Toggle
        label={text.everyoneMay}
        isOn={isOpen}
        onChange={(isOn) => {
          const holders = isOn ? "everyone" : "facilitators";
          change({ permissions: { reveal: holders, reset: holders, story: holders, timer: holders } });
        }}
      />
      <Toggle label={text.lock} isOn={settings.locked} onChange={(locked) => void session.lock(locked)} />
    </section>
  );
}

/** The usual choices, and the present one if it is none of them. */
function steps(usual: number[], present: number, name: (value: number) => string): [string, string][] {
  const all = usual.includes(present) ? usual : [...usual, present].sort((a, b) => a - b);
  return all.map((value) => [String(value), name(value)]);
}
