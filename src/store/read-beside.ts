import { TealError, toTealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";
import type { Store } from "./store.ts";
import { READS, type StoreCall, type StoreMethod, storeThrough } from "./sync.ts";

/** A read that waited this long had writes before it, or this process was busy. */
const LONG_MS: Milliseconds = 30;
/** So many in a row: it is the disk. */
const LONG_ONES = 3;

export interface ReadBesideOptions {
  /** Opens the same record once more, to read only. */
  readonly open: () => Promise<Store>;
  /** Monotonic milliseconds. */
  readonly monotonic: () => Milliseconds;
  /** Told why reads do not go, or go no more, beside the writes. */
  readonly onFailure: (problem: TealError) => void;
  /** Reads are taken beside the writes once three in a row have taken as long as this; 30 ms unless told. */
  readonly longMs?: Milliseconds;
}

/**
 * The same store, whose reads do not wait for the disk that its writes wait for: once some in a row had to, they go to a
 * second, read-only opening. That costs memory of its own, which a store that is quick does not spend. A read sees all that
 * was written by calls that were answered before it was asked; of one that is not answered yet, all or nothing, also where
 * that was called first.
 */
export function readBeside(store: Store, options: ReadBesideOptions): Store {
  const { open, monotonic, onFailure, longMs = LONG_MS } = options;
  let reader: Store | null = null;
  let opening: Promise<void> | null = null;
  let longOnes = 0;
  const openReader = async (): Promise<void> => {
    try {
      reader = await open();
    } catch (thrown) {
      giveUp(null, thrown);
    }
  };
  /** Until reads wait again; told once, however many were under way. */
  const giveUp = (failed: Store | null, thrown: unknown): void => {
    if (reader !== failed) return;
    reader = null;
    opening = null;
    longOnes = 0;
    onFailure(toTealError(thrown));
    void failed?.close().catch(() => undefined);
  };
  const read = async (method: StoreMethod, values: readonly unknown[]): Promise<unknown> => {
    const beside = reader;
    if (beside !== null) {
      try {
        return await (Reflect.apply(beside[method], beside, values) as Promise<unknown>);
      } catch (thrown) {
        if (!(thrown instanceof TealError) || thrown.code !== "store-failed") throw thrown;
        giveUp(beside, thrown);
      }
    }
    const begun = monotonic();
    const answer = await (Reflect.apply(store[method], store, values) as Promise<unknown>);
    longOnes = monotonic() - begun >= longMs ? longOnes + 1 : 0;
    if (longOnes >= LONG_ONES) opening ??= openReader();
    return answer;
  };
  const close = async (): Promise<void> => {
    await opening;
    // A last opening that ends takes the log of writes with it: that is the writer's to do.
    await reader?.close().catch((thrown: unknown) => {
      onFailure(toTealError(thrown));
    });
    await store.close();
  };
  const call = (method: StoreMethod, values: readonly unknown[]): unknown => {
    if (method === "close") return close();
    return READS.has(method) ? read(method, values) : Reflect.apply(store[method], store, values);
  };
  return storeThrough(call as StoreCall);
}
