import { dirname, join } from "node:path";
import type { TealError } from "../../model/error.ts";
import type { Milliseconds } from "../../model/time.ts";
import type { Store } from "../store.ts";
import { type StoreCall, storeThrough, type SyncStore } from "../sync.ts";
import { StoreThread } from "../thread/client.ts";
import { SqliteStore } from "./sqlite-store.ts";

export interface SqliteStoreOptions {
  /** The database; made when there is none. Its folder must exist ({@link ensureStateDirectory}). */
  readonly file: string;
  /** Entry of the store's thread, given by the composition root: `new URL("./store-worker.ts", import.meta.url)`. */
  readonly workerUrl: URL;
  /** Absolute path of the ballast; `ballast` beside the database unless told; null: none. */
  readonly ballast?: string | null;
  /** Monotonic milliseconds. */
  readonly monotonic?: () => Milliseconds;
  /** Told when the thread ended by itself; `final` when it is not started again and the process should end. */
  readonly onCrash?: (error: TealError, final: boolean) => void;
}

/**
 * The SQLite store in a thread of its own. The caller holds the ownership of the state directory.
 * @throws `store-failed`; `protocol-mismatch` when a newer version of Teal has written the file
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { file, workerUrl, ballast = join(dirname(file), "ballast"), onCrash } = options;
  const { monotonic = () => performance.now() } = options;
  const data = { file, ballast };
  const thread = new StoreThread({ workerUrl, data, monotonic, ...(onCrash === undefined ? {} : { onCrash }) });
  await thread.opened();
  // The thread runs a SyncStore, whose methods and results are those of Store by type.
  const call = ((method, values) => (method === "close" ? thread.close() : thread.call(method, values))) as StoreCall;
  return storeThrough(call);
}

/**
 * The same file once more, in the caller's own thread, which reads and never writes, while the store is open. It waits for
 * nobody's lock.
 * @throws `store-failed`
 */
export function openSqliteReader(file: string): SyncStore {
  return new SqliteStore(file, { readOnly: true, busyMs: 0 });
}
