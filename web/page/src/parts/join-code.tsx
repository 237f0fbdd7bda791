// The code of an invitation, typed or pasted with whatever is around it.

import { useRef, useState } from "preact/hooks";

import { CODE_LENGTH, codeOf, goTo } from "../route";
import { text } from "../text";

export function JoinCode() {
  const [code, setCode] = useState("");
  const [problem, setProblem] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    if (code.length === CODE_LENGTH) return goTo(code);
    setProblem(text.codeWrong);
    field.current?.focus();
  };
  const paste = (event: ClipboardEvent) => {
    const pasted = codeOf(event.clipboardData?.getData("text") ?? "");
    if (pasted.length !== CODE_LENGTH) return;
    event.preventDefault();
    setCode(pasted);
    setProblem("");
  };
  const input = (element: HTMLInputElement) => {
    setCode(codeOf(element.value));
    // The same state draws nothing new, and what was typed would stay.
    element.value = codeOf(element.value);
    setProblem("");
  };
  return (
    <form class="panel" onSubmit={submit} noValidate aria-labelledby="join-title">
      <h2 id="join-title">{text.joinTitle}</h2>
      <div class="row end">
        <label class="field grow">
          <span>{text.code}</span>
          <input
            ref={field}
            class="mono code"
            value={code}
            autocomplete="off"
            autocapitalize="characters"
            spellcheck={false}
            size={10}
            aria-describedby="join-hint"
            onInput={(event) => input(event.currentTarget)}
            onPaste={paste}
          />
        </label>
        <button type="submit" class="plain big">
          {text.joinButton}
        </button>
      </div>
      <p id="join-hint" class={problem ? "problem" : "hint"} role={problem ? "alert" : undefined}>
        {problem || text.codeHint}
      </p>
    </form>
  );
}
