import { toTealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";
import type { Store } from "../store/store.ts";
import { storeThrough, type StoreCall, type StoreMethod } from "../store/sync.ts";

/** One call of the store that has ended. */
export interface StoreCallEnded {
  readonly method: StoreMethod;
  readonly tookMs: Milliseconds;
  /** Code of the error; null: it did what was asked. */
  readonly code: string | null;
}

export interface StoreWatch {
  /** Told of each call, with the time that it waited for the store's thread and disk. */
  storeCall(call: StoreCallEnded): void;
}

/** The same store, watched. */
export function measuredStore(store: Store, monotonic: () => Milliseconds, watch: StoreWatch): Store {
  const call = async (method: StoreMethod, values: readonly unknown[]): Promise<unknown> => {
    const startedAt = monotonic();
    const tell = (code: string | null): void => {
      watch.storeCall({ method, tookMs: monotonic() - startedAt, code });
    };
    try {
      const answer: unknown = await Reflect.apply(store[method], store, values);
      tell(null);
      return answer;
    } catch (thrown) {
      tell(toTealError(thrown).code);
      throw thrown;
    }
  };
  return storeThrough(call as StoreCall);
}
