// The preferences of this device, as they are now.

import { preferences, type Preferences } from "../session/storage";
import { Store } from "./store";

export const device = new Store<Preferences>(preferences.load());

export function setDevice(change: Partial<Preferences>): void {
  device.set({ ...device.value, ...change });
  preferences.save(device.value);
  applyTheme();
}

/** The style sheets follow the system unless this says otherwise. */
export function applyTheme(): void {
  const { theme } = device.value;
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
