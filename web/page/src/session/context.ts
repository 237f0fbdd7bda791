// The session at whose table the page sits.

import { createContext } from "preact";
import { useContext } from "preact/hooks";

import { useStore } from "../ui/store";
import type { Session } from "./session";
import type { TableState as View } from "cardroom-client";

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("there is no session here");
  return session;
}

export const useView = (): View => useStore(useSession().view);
