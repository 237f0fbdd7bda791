// What the keys do.

import { text } from "../text";
import { Drawer } from "./drawer";

export function Help() {
  return (
    <Drawer title={text.help} narrow>
      <dl class="keys">
        {text.keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p class="hint">{text.singleKeysHint}</p>
    </Drawer>
  );
}
