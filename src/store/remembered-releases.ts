import type { Release } from "../model/release.ts";
import type { Store } from "./store.ts";

/** The releases of a thousand services; each takes some kB. */
const MOST = 2_000;

/**
 * The same store, which answers from memory for a release that was read before: it changes nearly never, and is asked for
 * at each look at a service. Only for the store's one user, as what somebody else writes is not noticed.
 */
export function rememberedReleases(store: Store, most: number = MOST): Store {
  const known = new Map<string, Release>();
  /** Grows with each write of a release: what was read meanwhile may be older. */
  let writes = 0;
  const changing = async <T>(key: string, write: () => Promise<T>): Promise<T> => {
    const forget = (): void => {
      writes += 1;
      known.delete(key);
    };
    forget();
    try {
      return await write();
    } finally {
      forget();
    }
  };
  return {
    ...store,
    release: async (service, id) => {
      const key = keyOf(service, id);
      const remembered = known.get(key);
      if (remembered !== undefined) return remembered;
      const before = writes;
      const release = await store.release(service, id);
      if (release === null || writes !== before) return release;
      known.set(key, release);
      const [oldest] = known.keys();
      if (known.size > most && oldest !== undefined) known.delete(oldest);
      return release;
    },
    accept: (row) =>
      row.release === null
        ? store.accept(row)
        : changing(keyOf(row.release.service, row.release.id), () => store.accept(row)),
    transition: (change) =>
      change.release === undefined
        ? store.transition(change)
        : changing(keyOf(change.release.service, change.release.id), () => store.transition(change)),
    removeRelease: (service, id, events) =>
      changing(keyOf(service, id), () => store.removeRelease(service, id, events)),
  };
}

function keyOf(service: string, id: string): string {
  return `${service} ${id}`;
}
