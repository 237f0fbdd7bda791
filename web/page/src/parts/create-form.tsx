// A name is enough; everything else has a default.

import { useRef, useState } from "preact/hooks";

import { app } from "../session/app";
import { DECKS } from "../session/decks";
import { randomFace } from "../session/faces";
import { sentence } from "../session/failure";
import { profile } from "../session/storage";
import { text } from "../text";
import { Value } from "./card";
import { FacePicker } from "./face-picker";

export function CreateForm() {
  const [known] = useState(profile.load);
  const [name, setName] = useState(known.name);
  const [avatar, setAvatar] = useState(known.avatar || randomFace);
  const [sessionName, setSessionName] = useState("");
  const [deck, setDeck] = useState(() => DECKS.find(({ id }) => id === known.deck)?.id ?? DECKS[0].id);
  const [isPending, setPending] = useState(false);
  const [problem, setProblem] = useState("");
  const nameField = useRef<HTMLInputElement>(null);
  const shown = DECKS.find(({ id }) => id === deck) ?? DECKS[0];

  const submit = async (event: Event) => {
    event.preventDefault();
    const playerName = name.trim();
    if (!playerName) {
      setProblem(text.nameMissing);
      nameField.current?.focus();
      return;
    }
    setPending(true);
    setProblem("");
    profile.save({ name: playerName, avatar, deck });
    try {
      await app.create({ name: sessionName.trim() || text.sessionNameDefault(playerName), playerName, avatar, deck });
    } catch (error) {
      setPending(false);
      setProblem(sentence(error));
    }
  };
  return (
    <form class="panel create" onSubmit={submit} noValidate aria-labelledby="create-title">
      <h2 id="create-title">{text.createTitle}</h2>
      <div class="who">
        <FacePicker value={avatar} onChange={setAvatar} />
        <label class="field grow">
          <span>{text.yourName}</span>
          <input
            ref={nameField}
            value={name}
            maxLength={50}
            required
            autocomplete="nickname"
            aria-describedby="create-problem"
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
      </div>
      <label class="field">
        <span>
          {text.sessionName} <i>{text.optional}</i>
        </span>
        <input value={sessionName} maxLength={100} autocomplete="off" placeholder={name.trim() ? text.sessionNameDefault(name.trim()) : ""} onInput={(event) => setSessionName(event.currentTarget.value)} />
      </label>
      <fieldset class="decks">
        <legend>{text.deck}</legend>
        <div class="chips">
          {DECKS.map(({ id, name }) => (
            <label key={id} class="chip">
              <input type="radio" name="deck" value={id} checked={id === deck} onChange={() => setDeck(id)} />
              <span>{name}</span>
            </label>
          ))}
        </div>
        <ul class="deck-shown" aria-label={text.cardsOf(shown.name)}>
          {shown.cards.map((card) => (
            <li key={card.value} class="mini">
              <Value card={card} />
              {card.special && <span class="sr">{text.specials[card.special]}</span>}
            </li>
          ))}
        </ul>
      </fieldset>
      <p class="problem" id="create-problem" role="alert">
        {problem}
      </p>
      <button type="submit" class="primary big" disabled={isPending}>
        {isPending ? text.creating : text.createButton}
      </button>
    </form>
  );
}
