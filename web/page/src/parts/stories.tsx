// All stories of the session. Looking through them changes nothing on the
// table; that takes a button.

import { useRef, useState } from "preact/hooks";

import { useSession, useView } from "../session/context";
import type { StoryInfo as Story } from "cardroom-client";
import { text } from "../text";
import { Drawer } from "./drawer";
import { StoryRow } from "./story-row";

/** What the server takes in one import. */
const IMPORT_BYTES_MAX = 60_000;

export function Stories() {
  const session = useSession();
  const { stories, can, settings } = useView();
  const [dragged, setDragged] = useState<string | null>(null);
  const may = can.story;
  const titled = stories.filter(({ title, isActive }) => title !== "" || isActive);

  const drop = (before: string | null) => {
    if (dragged && dragged !== before) void session.reorder(dragged, before);
    setDragged(null);
  };
  return (
    <Drawer title={text.stories}>
      <p class="drawer-sum">{totals(stories, settings.deck.kind === "numeric")}</p>
      {stories.length < 2 && <p class="empty">{text.noStories}</p>}
      <ol class="story-list">
        {titled.map((story, index) => (
          <StoryRow
            key={story.id}
            story={story}
            may={may}
            before={titled[index - 1]?.id ?? null}
            afterNext={titled[index + 2]?.id ?? null}
            isLast={index === titled.length - 1}
            onDrag={() => setDragged(story.id)}
            onDrop={() => drop(story.id)}
          />
        ))}
      </ol>
      {may && <AddStories />}
    </Drawer>
  );
}

function AddStories() {
  const session = useSession();
  const { can } = useView();
  const [lines, setLines] = useState("");
  const [said, setSaid] = useState("");
  const file = useRef<HTMLInputElement>(null);
  const titles = lines.split("\n").filter((line) => line.trim() !== "");

  const submit = async (event: Event) => {
    event.preventDefault();
    if (titles.length === 0) return;
    const only = titles.length === 1 ? titles[0] : undefined;
    const done = only ? await session.createStory(only.trim()) : await session.importStories("lines", titles.join("\n"));
    if (done === null) return;
    // What was typed since stays.
    setLines((now) => (now === lines ? "" : now));
    setSaid(text.imported(done.added, done.rejected));
  };
  const importFile = async () => {
    const chosen = file.current?.files?.[0];
    if (!chosen) return;
    const data = await chosen.slice(0, IMPORT_BYTES_MAX).text();
    const done = await session.importStories("csv", data);
    if (file.current) file.current.value = "";
    if (done !== null) setSaid(text.imported(done.added, done.rejected));
  };
  const enter = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && titles.length < 2) void submit(event);
  };
  return (
    <form class="story-add" onSubmit={submit}>
      <label class="field">
        <span>{text.addStory}</span>
        <textarea rows={titles.length > 1 ? 6 : 2} value={lines} placeholder={text.addStoryHint} onInput={(event) => setLines(event.currentTarget.value)} onKeyDown={enter} />
      </label>
      <div class="row">
        <button type="submit" class="primary" disabled={titles.length === 0 || (titles.length > 1 && !can.manage)}>
          {titles.length > 1 ? text.addLines(titles.length) : text.add}
        </button>
        {can.manage && (
          <label class="plain file">
            <input ref={file} type="file" accept=".csv,text/csv" class="sr" onChange={importFile} />
            {text.importCsv}
          </label>
        )}
      </div>
      <p class="hint" role="status">
        {said}
      </p>
    </form>
  );
}

function totals(stories: readonly Story[], isNumeric: boolean): string {
  const estimated = stories.filter(({ finalEstimate }) => finalEstimate !== undefined);
  const numbers = estimated.map(({ finalEstimate }) => Number(finalEstimate));
  const sum = numbers.reduce((all, value) => all + value, 0);
  const isSum = isNumeric && numbers.length > 0 && Number.isFinite(sum);
  return text.totals(estimated.length, stories.length, isSum ? String(Math.round(sum * 1_000) / 1_000) : null);
}
