import type { Store } from "../store.ts";
import { type StoreCall, storeThrough } from "../sync.ts";
import { SqliteStore } from "./sqlite-store.ts";

/** The SQLite store in the caller's own thread, behind the same interface: for tests and tools. `:memory:` is a file too. */
export function directSqliteStore(file: string): Store {
  const store = new SqliteStore(file);
  const call: StoreCall = ((method, values) => {
    try {
      return Promise.resolve(Reflect.apply(store[method], store, values) as unknown);
    } catch (thrown) {
      return Promise.reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  }) as StoreCall;
  return storeThrough(call);
}
