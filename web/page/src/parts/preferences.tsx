// What this device does its own way.

import { text } from "../text";
import { device, setDevice } from "../ui/device";
import { useStore } from "../ui/store";
import { Select } from "./select";
import { Toggle } from "./toggle";

export function DevicePreferences() {
  const { theme, singleKeys, sound, wakeLock } = useStore(device);
  return (
    <>
      <Select label={text.theme} value={theme} options={Object.entries(text.themes)} onChange={(theme) => setDevice({ theme: theme as typeof device.value.theme })} />
      <Toggle label={text.singleKeys} hint={text.singleKeysHint} isOn={singleKeys} onChange={(singleKeys) => setDevice({ singleKeys })} />
      <Toggle label={text.sound} hint={text.soundHint} isOn={sound} onChange={(sound) => setDevice({ sound })} />
      <Toggle label={text.wakeLock} isOn={wakeLock} onChange={(wakeLock) => setDevice({ wakeLock })} />
    </>
  );
}
