// What this browser remembers besides its seats, which the client keeps.
// Everything works, shorter, without storage.

export interface Profile {
  name: string;
  avatar: string;
  deck: string;
}

export interface Recent {
  code: string;
  name: string;
  at: number;
}

export interface Preferences {
  theme: "auto" | "light" | "dark";
  singleKeys: boolean;
  sound: boolean;
  wakeLock: boolean;
}

const PREFIX = "cardroom.";
const RECENTS_MAX = 6;

function read<T>(key: string, fallback: T): T {
  try {
    const text = localStorage.getItem(PREFIX + key);
    return text === null ? fallback : (JSON.parse(text) as T);
  } catch {
    return fallback;
  }
}

function write(key: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // A private window, or full: the page goes on without.
  }
}

export const profile = {
  load: (): Profile => ({ name: "", avatar: "", deck: "fibonacci", ...read<Partial<Profile>>("profile", {}) }),
  save: (value: Partial<Profile>) => write("profile", { ...profile.load(), ...value }),
};

export const preferences = {
  load: (): Preferences => ({
    theme: "auto",
    singleKeys: true,
    sound: false,
    wakeLock: false,
    ...read<Partial<Preferences>>("preferences", {}),
  }),
  save: (value: Preferences) => write("preferences", value),
};

export const recents = {
  list: (): Recent[] => read<Recent[]>("recents", []),
  add: (recent: Recent) =>
    write("recents", [recent, ...recents.list().filter(({ code }) => code !== recent.code)].slice(0, RECENTS_MAX)),
  forget: (code: string) => write("recents", recents.list().filter((recent) => recent.code !== code)),
};
