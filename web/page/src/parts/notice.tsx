// One sentence about what just happened; it goes by itself.

import { useEffect } from "preact/hooks";

import { useSession } from "../session/context";
import { text } from "../text";
import { Icon } from "../ui/icon";
import { useStore } from "../ui/store";

const SHOWN_MS = 6_000;

export function Notice() {
  const session = useSession();
  const notice = useStore(session.notice);
  useEffect(() => {
    if (notice === null) return;
    const timeout = setTimeout(() => session.notice.set(null), SHOWN_MS);
    return () => clearTimeout(timeout);
  }, [notice]);
  return (
    <div class="notices" role="status">
      {notice && (
        <div class="notice">
          <p>{notice.words}</p>
          {notice.act && (
            <button
              type="button"
              class="plain"
              onClick={() => {
                session.notice.set(null);
                notice.act?.go();
              }}
            >
              {notice.act.label}
            </button>
          )}
          <button type="button" class="quiet square" aria-label={text.dismiss} onClick={() => session.notice.set(null)}>
            <Icon name="close" />
          </button>
        </div>
      )}
    </div>
  );
}
