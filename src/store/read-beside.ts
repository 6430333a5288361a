import { type TealError, toTealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";
import type { Store } from "./store.ts";
import { type StoreCall, type StoreMethod, storeThrough, type SyncStore } from "./sync.ts";
import { TurnShare } from "./turn-share.ts";

/**
 * Small ones, by an index. Not `series`: its pieces are put without waiting, and who asks for them wants the last one too.
 * Not `events`, `changes` and the like: a thousand rows take long to read.
 */
const SMALL_READS: ReadonlySet<StoreMethod> = new Set<StoreMethod>([
  "services",
  "service",
  "environments",
  "outline",
  "release",
  "deployment",
  "withKey",
  "abortedWithKey",
  "plan",
  "steps",
  "history",
  "approval",
  "maintenance",
  "receipts",
  "lastSeq",
]);

/** What reads may take of one turn of the event loop. */
const SHARE_MS: Milliseconds = 8;
/** After a failure, reads go through the store for so long. */
const AGAIN_MS: Milliseconds = 10_000;

export interface ReadBesideOptions {
  /** Opens it. @throws `store-failed` */
  readonly open: () => SyncStore;
  /** Monotonic milliseconds. */
  readonly monotonic: () => Milliseconds;
  /** Told why reads do not go beside the writes. */
  readonly onFailure: (problem: TealError) => void;
}

/**
 * The same store, whose small reads are made right here, on an opening of their own: asking the store's thread costs more
 * than most of them, and it may wait for the disk with the writes of hundreds of deployments. A read sees all that was
 * written by calls that were answered before it was asked; of one that is not answered yet, all or nothing, also where that
 * was called first.
 */
export function readBeside(store: Store, options: ReadBesideOptions): Store {
  const beside = new Beside(options);
  const read = async (method: StoreMethod, values: readonly unknown[]): Promise<unknown> => {
    const answer = await beside.read(method, values);
    return answer === null ? ask(method, values) : answer.value;
  };
  const ask = (method: StoreMethod, values: readonly unknown[]): unknown => Reflect.apply(store[method], store, values);
  const close = async (): Promise<void> => {
    // A last opening that ends takes the log of writes with it: that is the writer's to do.
    beside.close();
    await store.close();
  };
  const call = (method: StoreMethod, values: readonly unknown[]): unknown => {
    if (method === "close") return close();
    return SMALL_READS.has(method) ? read(method, values) : ask(method, values);
  };
  return storeThrough(call as StoreCall);
}

class Beside {
  readonly #options: ReadBesideOptions;
  readonly #share: TurnShare;
  #reader: SyncStore | null = null;
  /** Not opened again before. */
  #notBefore: Milliseconds = 0;
  #isClosed = false;

  constructor(options: ReadBesideOptions) {
    this.#options = options;
    this.#share = new TurnShare(SHARE_MS, options.monotonic);
  }

  /** Null: the store is to be asked. */
  read(method: StoreMethod, values: readonly unknown[]): Promise<{ readonly value: unknown } | null> {
    return this.#share.run(() => {
      try {
        const reader = this.#opened();
        return reader === null ? null : { value: Reflect.apply(reader[method], reader, values) as unknown };
      } catch (thrown) {
        const problem = toTealError(thrown);
        if (problem.code !== "store-failed") throw problem;
        this.#giveUp(problem);
        return null;
      }
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#end();
  }

  #opened(): SyncStore | null {
    const { open, monotonic } = this.#options;
    if (this.#reader === null && !this.#isClosed && monotonic() >= this.#notBefore) this.#reader = open();
    return this.#reader;
  }

  #giveUp(problem: TealError): void {
    this.#notBefore = this.#options.monotonic() + AGAIN_MS;
    this.#options.onFailure(problem);
    this.#end();
  }

  #end(): void {
    try {
      this.#reader?.close();
    } catch (thrown) {
      this.#options.onFailure(toTealError(thrown));
    }
    this.#reader = null;
  }
}
