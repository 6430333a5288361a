import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import { TealError } from "../../model/error.ts";
import type { Milliseconds } from "../../model/time.ts";
import type { Store } from "../store.ts";
import type { Reader } from "../read-beside.ts";
import { type StoreCall, storeThrough } from "../sync.ts";
import { isConnectionBroken } from "./failure.ts";
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
 * Opens the same file again and again while the store is open, in the caller's own thread: reads that never write, and wait
 * for nobody's lock. A file that somebody has put in its place is not the one that the store writes, and is refused.
 * @throws (the result) `store-failed`
 */
export function sqliteReaders(file: string): () => Reader {
  let first: string | null = null;
  return () => {
    const store = new SqliteStore(file, { readOnly: true, busyMs: 0 });
    const { dev, ino } = statSync(file);
    const identity = `${String(dev)} ${String(ino)}`;
    first ??= identity;
    if (identity === first) return { store, isBroken: isConnectionBroken };
    store.close();
    throw new TealError("store-failed", `${file} is another file than the one that is written`, {
      remedy: "Start the server anew, so that it goes by the file that is there now.",
    });
  };
}
