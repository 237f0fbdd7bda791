// The session as a file.

import { useState } from "preact/hooks";

import { download, FORMATS } from "../session/download";
import { useSession } from "../session/context";
import { text } from "../text";

export function Exports() {
  const session = useSession();
  const [said, setSaid] = useState("");
  const take = async (format: string) => {
    setSaid("");
    if (!(await download(session.sessionId, session.token(), format))) setSaid(text.exportFailed);
  };
  return (
    <>
      <div class="row">
        {FORMATS.map(([format, name]) => (
          <button type="button" key={format} class="plain" onClick={() => void take(format)}>
            {name}
          </button>
        ))}
      </div>
      <p class="hint" role="status">
        {said}
      </p>
    </>
  );
}
