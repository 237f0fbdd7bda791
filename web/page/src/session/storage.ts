// What this browser remembers. A token is kept by the code of its session and
// is never in the address; everything works, shorter, without storage.

export interface Profile {
  name: string;
  avatar: string;
  deck: string;
}

export interface Seat {
  sessionId: string;
  token: string;
  name: string;
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

function read<T>(key: string, fallback: T, storage: () => Storage = () => localStorage): T {
  try {
    const text = storage().getItem(PREFIX + key);
    return text === null ? fallback : (JSON.parse(text) as T);
  } catch {
    return fallback;
  }
}

function write(key: string, value: unknown, storage: () => Storage = () => localStorage): void {
  try {
    if (value === null) storage().removeItem(PREFIX + key);
    else storage().setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // A private window, or full: the page goes on without.
  }
}

const perTab = () => sessionStorage;

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

export const seats = {
  of: (code: string): Seat | null => read<Seat | null>(`seat.${code}`, null, perTab) ?? read<Seat | null>(`seat.${code}`, null),
  keep: (code: string, seat: Seat, remember: boolean) =>
    remember ? write(`seat.${code}`, seat) : write(`seat.${code}`, seat, perTab),
  forget: (code: string) => {
    write(`seat.${code}`, null);
    write(`seat.${code}`, null, perTab);
  },
};

export const recents = {
  list: (): Recent[] => read<Recent[]>("recents", []),
  add: (recent: Recent) =>
    write("recents", [recent, ...recents.list().filter(({ code }) => code !== recent.code)].slice(0, RECENTS_MAX)),
  forget: (code: string) => {
    write("recents", recents.list().filter((recent) => recent.code !== code));
    seats.forget(code);
  },
};
