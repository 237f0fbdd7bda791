// The words of a story, while they change.

import { useEffect, useRef, useState } from "preact/hooks";

import type { StoryInfo as Story } from "cardroom-client";
import type { StoryWords } from "../session/words";
import { text } from "../text";

interface Props {
  story: Story;
  onSave(words: StoryWords): unknown;
  onCancel(): void;
}

export function StoryForm({ story, onSave, onCancel }: Props) {
  const [title, setTitle] = useState(story.title);
  const [key, setKey] = useState(story.key ?? "");
  const [link, setLink] = useState(story.link ?? "");
  const [description, setDescription] = useState(story.description ?? "");
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);

  const submit = (event: Event) => {
    event.preventDefault();
    if (!title.trim()) return;
    onSave({
      title: title.trim(),
      description,
      ...(key.trim() ? { key: key.trim() } : {}),
      ...(link.trim() ? { link: link.trim() } : {}),
    });
  };
  const escape = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    onCancel();
  };
  return (
    <form class="story-form" onSubmit={submit} onKeyDown={escape}>
      <label class="field wide">
        <span>{text.title}</span>
        <input ref={first} value={title} maxLength={200} required autocomplete="off" onInput={(event) => setTitle(event.currentTarget.value)} />
      </label>
      <label class="field">
        <span>{text.storyKey}</span>
        <input value={key} maxLength={40} autocomplete="off" onInput={(event) => setKey(event.currentTarget.value)} />
      </label>
      <label class="field">
        <span>{text.storyLink}</span>
        <input type="url" pattern="https?://.+" value={link} maxLength={500} placeholder="https://" autocomplete="off" onInput={(event) => setLink(event.currentTarget.value)} />
      </label>
      <label class="field wide">
        <span>{text.description}</span>
        <textarea rows={3} value={description} maxLength={2000} onInput={(event) => setDescription(event.currentTarget.value)} />
      </label>
      <div class="row wide">
        <button type="submit" class="primary">
          {text.save}
        </button>
        <button type="button" class="quiet" onClick={onCancel}>
          {text.cancel}
        </button>
      </div>
    </form>
  );
}
