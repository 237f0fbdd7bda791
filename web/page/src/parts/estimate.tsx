// After the reveal: what the story is worth, and how to go on.

import { useState } from "preact/hooks";

import { useSession, useView } from "../session/context";
import { text } from "../text";
import { useStore } from "../ui/store";

export function Estimate() {
  const session = useSession();
  const { round, currentStory, stories, can } = useView();
  const isInert = useStore(session.resetInert);
  const isOnline = useStore(session.link).status === "online";
  const suggested = round.consensus?.suggestedValue ?? "";
  const set = currentStory.finalEstimate;
  const [typed, setTyped] = useState<string | null>(null);
  // A vote that is changed after the reveal changes what is suggested.
  const value = typed ?? suggested;
  const [isOpen, setOpen] = useState(set === undefined);
  const [isAdding, setAdding] = useState(false);
  const [title, setTitle] = useState("");
  const next = nextStory(stories, currentStory.id);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (value.trim() && (await session.finalize(currentStory.id, value.trim()))) setOpen(false);
  };
  const goOn = () => {
    if (next) void session.activate(next.id);
    else setAdding(true);
  };
  const add = (event: Event) => {
    event.preventDefault();
    if (title.trim()) void session.nextStory(title.trim());
  };

  if (!can.story && !can.reset) {
    return set === undefined ? null : <p class="estimate-set">{text.estimateSet(set)}</p>;
  }
  if (isAdding) {
    return (
      <form class="estimate" onSubmit={add}>
        <label class="estimate-title">
          <span>{text.nameStory}</span>
          <input value={title} maxLength={200} required autocomplete="off" ref={focusOnce} onInput={(event) => setTitle(event.currentTarget.value)} />
        </label>
        <button type="submit" class="primary" disabled={!isOnline}>
          {text.nextStory}
        </button>
        <button type="button" class="quiet" onClick={() => setAdding(false)}>
          {text.cancel}
        </button>
      </form>
    );
  }
  return (
    <div class="estimate">
      {can.story &&
        (isOpen ? (
          <form class="estimate-form" onSubmit={submit}>
            <label>
              <span class="sr">{text.estimate}</span>
              <input
                class="estimate-value figure"
                value={value}
                maxLength={10}
                size={5}
                autocomplete="off"
                list="estimate-cards"
                onInput={(event) => setTyped(event.currentTarget.value)}
              />
            </label>
            <datalist id="estimate-cards">
              {round.consensus?.distribution.map((row) => <option key={row.value} value={row.value} />)}
            </datalist>
            <button type="submit" class={set === undefined ? "primary" : "plain"} disabled={!isOnline || !value.trim()}>
              {text.setEstimate}
            </button>
          </form>
        ) : (
          <p class="estimate-set">
            {text.estimateSet(set ?? value)}
            <button type="button" class="quiet" onClick={() => setOpen(true)}>
              {text.changeEstimate}
            </button>
          </p>
        ))}
      <div class="estimate-acts">
        {can.reset && (
          <button type="button" class="plain" disabled={!isOnline} aria-disabled={isInert} onClick={() => void session.newRound()}>
            {text.voteAgain}
          </button>
        )}
        {can.story && (
          <button type="button" class={isOpen ? "plain" : "primary"} disabled={!isOnline} onClick={goOn}>
            {text.nextStory}
          </button>
        )}
      </div>
    </div>
  );
}

const seen = new WeakSet<HTMLElement>();

const focusOnce = (element: HTMLElement | null) => {
  if (!element || seen.has(element)) return;
  seen.add(element);
  element.focus();
};

/** The first story after this one that nobody has estimated; then any other. */
export function nextStory<T extends { id: string; status: string; finalEstimate?: string }>(stories: readonly T[], current: string): T | null {
  const at = stories.findIndex(({ id }) => id === current);
  const waits = (story: T) => story.id !== current && story.finalEstimate === undefined && story.status === "pending";
  return stories.slice(at + 1).find(waits) ?? stories.find(waits) ?? null;
}
