import type { Milliseconds } from "../../model/time.ts";
import type { StoreThreadData } from "../thread/messages.ts";
import { Ballast } from "./ballast.ts";
import { SqliteStore } from "./sqlite-store.ts";

/** Writing the ballast takes as long as a slow disk takes for 8 MiB: not while a server starts. */
const FIRST_BALLAST_AFTER_MS = 2_000;

/** What the store's thread runs: the store, with its ballast. */
export function openInThread(data: StoreThreadData, monotonic: () => Milliseconds): SqliteStore {
  const { file, ballast: path } = data;
  if (path === null) return new SqliteStore(file);
  const ballast = new Ballast(path, { monotonic });
  let settled = ballast.there;
  const store = new SqliteStore(file, {
    relieve: () => ballast.drop(),
    written: () => {
      // After the answer of this commit is out.
      if (settled && !ballast.there) setImmediate(() => ballast.ensure());
    },
  });
  setTimeout(() => {
    settled = true;
    ballast.ensure();
  }, FIRST_BALLAST_AFTER_MS).unref();
  return store;
}
