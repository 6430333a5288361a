import { TealError, toTealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";
import type { Store } from "./store.ts";
import { type StoreCall, type StoreMethod, storeThrough } from "./sync.ts";

/** A read that waited this long had writes before it. */
const LONG_MS: Milliseconds = 30;

const READS: ReadonlySet<StoreMethod> = new Set<StoreMethod>([
  "services",
  "service",
  "environments",
  "outline",
  "release",
  "releases",
  "deployment",
  "withKey",
  "abortedWithKey",
  "plan",
  "steps",
  "unfinished",
  "changes",
  "history",
  "approval",
  "retirements",
  "maintenance",
  "tokens",
  "receipts",
  "events",
  "eventsOf",
  "lastSeq",
  "series",
]);

export interface ReadBesideOptions {
  /** Opens the same record once more, to read only. */
  readonly open: () => Promise<Store>;
  /** Monotonic milliseconds. */
  readonly monotonic: () => Milliseconds;
  /** Told why reads do not go, or go no more, beside the writes. */
  readonly onFailure: (problem: TealError) => void;
  /** Reads are taken beside the writes from the first one on that takes as long as this; 30 ms unless told. */
  readonly longMs?: Milliseconds;
}

/**
 * The same store, whose reads do not wait for the disk that its writes wait for: once one of them had to, they go to a
 * second, read-only opening. That costs memory of its own, so a store that is quick never has it. A read sees all that was
 * written by calls that were answered before it was asked; of a call that is not answered yet, all or nothing.
 */
export function readBeside(store: Store, options: ReadBesideOptions): Store {
  const { open, monotonic, onFailure, longMs = LONG_MS } = options;
  let reader: Store | null = null;
  let opening: Promise<void> | null = null;
  const giveUp = (thrown: unknown): void => {
    const left = reader;
    reader = null;
    onFailure(toTealError(thrown));
    void left?.close().catch(onFailure);
  };
  const openReader = async (): Promise<void> => {
    try {
      reader = await open();
    } catch (thrown) {
      giveUp(thrown);
    }
  };
  const read = async (method: StoreMethod, values: readonly unknown[]): Promise<unknown> => {
    if (reader !== null) {
      try {
        return await (Reflect.apply(reader[method], reader, values) as Promise<unknown>);
      } catch (thrown) {
        if (!(thrown instanceof TealError) || thrown.code !== "store-failed") throw thrown;
        giveUp(thrown);
      }
    }
    const begun = monotonic();
    const answer = await (Reflect.apply(store[method], store, values) as Promise<unknown>);
    if (monotonic() - begun >= longMs) opening ??= openReader();
    return answer;
  };
  const close = async (): Promise<void> => {
    await opening;
    // A last opening that ends takes the log of writes with it: that is the writer's to do.
    await reader?.close().catch(onFailure);
    await store.close();
  };
  const call = (method: StoreMethod, values: readonly unknown[]): unknown => {
    if (method === "close") return close();
    return READS.has(method) ? read(method, values) : Reflect.apply(store[method], store, values);
  };
  return storeThrough(call as StoreCall);
}
