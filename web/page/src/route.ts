// Where the page is: the start, or a session by its code. The code is behind
// the `#`, so that no server log and no `Referer` ever has it.

import { Store } from "./ui/store";

export const CODE_LENGTH = 8;

/**
 * What people type or paste: a code, or a whole invitation; read as the server does, O as 0, I and L as 1.
 */
export function codeOf(input: string): string {
  const pasted = input.includes("#") ? input.slice(input.lastIndexOf("#") + 1) : input;
  const code = pasted.toUpperCase().replace(/O/g, "0").replace(/[IL]/g, "1");
  return code.replace(/[^0-9A-Z]/g, "").slice(0, CODE_LENGTH);
}

function read(): string | null {
  const code = codeOf(location.hash);
  return code.length === CODE_LENGTH ? code : null;
}

export const route = new Store<string | null>(read());

addEventListener("hashchange", () => route.set(read()));

export function goTo(code: string | null): void {
  history.pushState(null, "", code === null ? location.pathname : `#${code}`);
  route.set(code);
}

export const inviteLink = (code: string): string => `${location.origin}${location.pathname}#${code}`;
