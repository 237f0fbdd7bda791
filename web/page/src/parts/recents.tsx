// Tables of before, from this browser's memory.

import { useState } from "preact/hooks";

import { recents } from "../session/storage";
import { text } from "../text";
import { Icon } from "../ui/icon";

export function Recents() {
  const [known, setKnown] = useState(recents.list);
  if (known.length === 0) return null;
  const forget = (code: string) => {
    recents.forget(code);
    setKnown(recents.list());
  };
  return (
    <section class="recents" aria-labelledby="recents-title">
      <h2 id="recents-title">{text.recent}</h2>
      <ul>
        {known.map(({ code, name }) => (
          <li key={code}>
            <a href={`#${code}`}>
              <bdi>{name}</bdi>
              <span class="mono">{code}</span>
            </a>
            <button type="button" class="quiet square" aria-label={text.forget(name)} onClick={() => forget(code)}>
              <Icon name="close" />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
