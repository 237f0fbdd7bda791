// The story on the table: read by all, changed in place by those who may.

import { useState } from "preact/hooks";

import { useSession, useView } from "../session/context";
import { text } from "../text";
import { Icon } from "../ui/icon";
import { openDrawer } from "./drawer";
import { StoryForm } from "./story-form";

export function StoryLine() {
  const session = useSession();
  const { currentStory: story, stories, can } = useView();
  const [isEditing, setEditing] = useState(false);
  const [isOpen, setOpen] = useState(false);
  const at = stories.findIndex(({ id }) => id === story.id) + 1;

  if (isEditing && can.story) {
    return (
      <section class="story" aria-label={text.story}>
        <StoryForm
          story={story}
          onSave={async (change) => (await session.updateStory(story.id, change)) && setEditing(false)}
          onCancel={() => setEditing(false)}
        />
      </section>
    );
  }
  return (
    <section class="story" aria-labelledby="story-title">
      <div class="story-line">
        {story.key && <span class="story-key">{story.key}</span>}
        <h2 id="story-title" class="story-title" data-untitled={story.title === ""} tabIndex={-1}>
          <bdi>{story.title || (can.story ? text.nameStory : text.untitled)}</bdi>
        </h2>
        {story.finalEstimate !== undefined && <span class="story-estimate figure" title={text.estimateIs(story.finalEstimate)}>{story.finalEstimate}</span>}
        <span class="story-acts">
          {story.description && (
            <button type="button" class="quiet" aria-expanded={isOpen} aria-controls="story-more" onClick={() => setOpen(!isOpen)}>
              {text.details}
            </button>
          )}
          {can.story && (
            <button type="button" class="quiet square" aria-label={text.editStory} title={text.editStory} onClick={() => setEditing(true)}>
              <Icon name="edit" />
            </button>
          )}
          {safeLink(story.link) && (
            <a class="quiet square" href={safeLink(story.link)} target="_blank" rel="noopener noreferrer" aria-label={text.openLink} title={text.openLink}>
              <Icon name="link" />
            </a>
          )}
          <button type="button" class="quiet" onClick={() => openDrawer("stories")}>
            <Icon name="list" />
            {text.stories} <span class="count-of">{`${at}/${stories.length}`}</span>
          </button>
        </span>
      </div>
      {story.description && isOpen && (
        <p class="prose" id="story-more">
          {story.description}
        </p>
      )}
    </section>
  );
}

/** The server takes only such links; this page follows no others either. */
export const safeLink = (link: string | undefined): string | undefined =>
  link && /^https?:\/\//i.test(link) ? link : undefined;
