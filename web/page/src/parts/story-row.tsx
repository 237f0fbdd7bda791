// One story in the list: dragged, or moved by its arrows.

import { useState } from "preact/hooks";

import { useSession } from "../session/context";
import type { StoryInfo as Story } from "cardroom-client";
import { text } from "../text";
import { Icon } from "../ui/icon";
import { closeDrawer } from "./drawer";

interface Props {
  story: Story;
  may: boolean;
  /** The story above, before which this one goes when it moves up. */
  before: string | null;
  /** The story before which this one goes when it moves down. */
  afterNext: string | null;
  isLast: boolean;
  onDrag(): void;
  onDrop(): void;
}

export function StoryRow({ story, may, before, afterNext, isLast, onDrag, onDrop }: Props) {
  const session = useSession();
  const [isAsking, setAsking] = useState(false);
  const title = story.title || text.untitled;
  const put = async () => {
    if (await session.activate(story.id)) closeDrawer("stories");
  };
  return (
    <li
      class="story-row"
      data-active={story.isActive}
      draggable={may}
      onDragStart={onDrag}
      onDragOver={(event) => may && event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        onDrop();
      }}
    >
      <div class="story-row-words">
        <span class="story-row-title">
          {story.key && <span class="story-key">{story.key}</span>}
          <bdi>{title}</bdi>
        </span>
        <span class="story-row-status">{text.storyStatus[story.status]}</span>
      </div>
      {story.finalEstimate !== undefined && <span class="story-estimate figure">{story.finalEstimate}</span>}
      {may && (
        <div class="story-row-acts">
          {isAsking ? (
            <>
              <span class="hint">{text.deleteAsk}</span>
              <button type="button" class="quiet" onClick={() => setAsking(false)}>
                {text.no}
              </button>
              <button type="button" class="danger" onClick={() => void session.deleteStory(story.id)}>
                {text.yes}
              </button>
            </>
          ) : (
            <>
              {!story.isActive && (
                <button type="button" class="plain" onClick={put}>
                  {text.putOnTable}
                </button>
              )}
              <span class="spring" />
              <button type="button" class="quiet square" disabled={before === null} aria-label={text.moveUp(title)} onClick={() => before && void session.reorder(story.id, before)}>
                <Icon name="up" />
              </button>
              <button type="button" class="quiet square" disabled={isLast} aria-label={text.moveDown(title)} onClick={() => void session.reorder(story.id, afterNext)}>
                <Icon name="down" />
              </button>
              <button type="button" class="quiet square" disabled={story.isActive} aria-label={text.deleteStory(title)} onClick={() => setAsking(true)}>
                <Icon name="trash" />
              </button>
            </>
          )}
        </div>
      )}
    </li>
  );
}
