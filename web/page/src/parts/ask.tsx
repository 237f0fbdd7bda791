// A button that asks once, where it is, before it does what cannot be undone.

import { useState } from "preact/hooks";

import { text } from "../text";

export function Ask({ act, question, onYes }: { act: string; question: string; onYes(): void }) {
  const [isAsking, setAsking] = useState(false);
  if (!isAsking) {
    return (
      <button type="button" class="danger" onClick={() => setAsking(true)}>
        {act}
      </button>
    );
  }
  return (
    <div class="asked" role="group" aria-label={question}>
      <p role="alert">{question}</p>
      <button type="button" class="plain" ref={(element) => element?.focus()} onClick={() => setAsking(false)}>
        {text.no}
      </button>
      <button
        type="button"
        class="danger"
        onClick={() => {
          setAsking(false);
          onYes();
        }}
      >
        {text.yes}
      </button>
    </div>
  );
}
