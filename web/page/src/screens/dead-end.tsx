// Where the way ends: one sentence, and one button that leads on.

import { Exports } from "../parts/exports";
import { app } from "../session/app";
import { SessionContext } from "../session/context";
import type { Session } from "../session/session";
import { text } from "../text";

interface Props {
  code: string;
  /** The session that was left or is over, whose results may be taken along. */
  session: Session | null;
}

export function DeadEnd({ code, session }: Props) {
  const [line, more, act] = text.dead[code] ?? text.dead["UNREACHABLE"] ?? ["", "", ""];
  return (
    <div class="narrow-page">
      <main class="panel dead">
        <span class="place" data-side="back" aria-hidden="true">
          <span class="turn">
            <span class="back" />
          </span>
        </span>
        <h1>{line}</h1>
        <p class="hint">{more}</p>
        {session && code === "SESSION_ENDED" && (
          <SessionContext.Provider value={session}>
            <div class="group">
              <p>{text.exportFirst}</p>
              <Exports />
            </div>
          </SessionContext.Provider>
        )}
        <button type="button" class="primary big" onClick={() => app.goOn(code)}>
          {act}
        </button>
      </main>
    </div>
  );
}
