// Values that the page watches.

import { useLayoutEffect, useState } from "preact/hooks";

export class Store<T> {
  #value: T;
  #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The value, and a new rendering whenever it changes. */
export function useStore<T>(store: Store<T>): T {
  const [, setVersion] = useState(0);
  const shown = store.value;
  // Before any other event: the first thing that is done at a screen shows.
  useLayoutEffect(() => {
    let seen = shown;
    const look = () => {
      if (Object.is(seen, store.value)) return;
      seen = store.value;
      setVersion((version) => version + 1);
    };
    // It may have changed since it was rendered.
    look();
    return store.subscribe(look);
  }, [store]);
  return shown;
}
