// Invited: who is there, and a seat to take. One form, one button.

import { useState } from "preact/hooks";

import { FacePicker } from "../parts/face-picker";
import { Toggle } from "../parts/toggle";
import { app, type SessionCard } from "../session/app";
import { randomFace } from "../session/faces";
import { isFailure, sentence } from "../session/failure";
import { profile } from "../session/storage";
import { text } from "../text";

export function Join({ card }: { card: SessionCard }) {
  const [known] = useState(profile.load);
  const [name, setName] = useState(known.name);
  const [avatar, setAvatar] = useState(known.avatar || randomFace);
  const [isWatching, setWatching] = useState(false);
  const [password, setPassword] = useState("");
  const [remember, setRemember] = useState(true);
  const [isPending, setPending] = useState(false);
  const [problem, setProblem] = useState("");

  const submit = async (event: Event) => {
    event.preventDefault();
    const playerName = name.trim();
    if (!playerName) return setProblem(text.nameMissing);
    setPending(true);
    setProblem("");
    profile.save({ name: playerName, avatar });
    try {
      await app.join(card.code, { name: playerName, avatar, isSpectator: isWatching, ...(password ? { password } : {}) }, remember);
    } catch (error) {
      setPending(false);
      const isPassword = isFailure(error) && error.code === "PASSWORD_INVALID";
      setProblem(isPassword ? (text.dead["PASSWORD_INVALID"]?.[0] ?? "") : sentence(error));
    }
  };
  return (
    <div class="narrow-page">
      <main class="panel join">
        <p class="eyebrow">{text.invitedTo}</p>
        <h1>
          <bdi>{card.name}</bdi>
        </h1>
        <p class="hint">
          {text.peopleThere(card.playerCount)} {text.deckIs(card.deckName)}
        </p>
        <form class="stack" onSubmit={submit} noValidate>
          <div class="who">
            <FacePicker value={avatar} onChange={setAvatar} />
            <label class="field grow">
              <span>{text.yourName}</span>
              <input value={name} maxLength={50} required autocomplete="nickname" aria-describedby="join-problem" onInput={(event) => setName(event.currentTarget.value)} />
            </label>
          </div>
          {card.passwordProtected && (
            <label class="field">
              <span>{text.password}</span>
              <input type="password" value={password} maxLength={128} required autocomplete="current-password" onInput={(event) => setPassword(event.currentTarget.value)} />
            </label>
          )}
          <Toggle label={text.watchOnly} hint={text.watchOnlyHint} isOn={isWatching} onChange={setWatching} />
          <Toggle label={text.rememberMe} isOn={remember} onChange={setRemember} />
          <p class="problem" id="join-problem" role="alert">
            {problem}
          </p>
          <button type="submit" class="primary big" disabled={isPending}>
            {isPending ? text.joining : text.takeSeat}
          </button>
        </form>
      </main>
    </div>
  );
}
