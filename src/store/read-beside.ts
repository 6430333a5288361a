import { type TealError, toTealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";
import type { Store } from "./store.ts";
import { type StoreCall, type StoreMethod, storeThrough, type SyncStore } from "./sync.ts";
import { TurnShare } from "./turn-share.ts";

/** A list of no more rows than this is small. */
const FEW = 50;

type IsSmall = (values: readonly unknown[]) => boolean;
const always: IsSmall = () => true;

/**
 * Small reads, by an index. Not `release`, which is remembered. Not `series`: its pieces are put without waiting, and who asks
 * for them wants the last one too. Not `services`, `events` and the like: thousands of rows take long to read.
 */
const SMALL_READS: Partial<Record<StoreMethod, IsSmall>> = {
  service: always,
  environments: always,
  outline: always,
  deployment: always,
  plan: always,
  steps: always,
  history: ([, limit]) => typeof limit === "number" && limit <= FEW,
  approval: always,
  maintenance: always,
  receipts: always,
  lastSeq: always,
};

/** When reads have taken so much of one turn of the event loop, no more are begun in it. */
const SHARE_MS: Milliseconds = 8;
/** After a failure, reads go through the store for so long. */
const AGAIN_MS: Milliseconds = 10_000;

/** The same record, opened once more. */
export interface Reader {
  readonly store: SyncStore;
  /** Whether an error of `store` is of the reader itself; what else it throws, the store may know better. */
  readonly isBroken: (thrown: unknown) => boolean;
}

export interface ReadBesideOptions {
  /** Opens it, to read only. @throws `store-failed` */
  readonly open: () => Reader;
  /** Monotonic milliseconds. */
  readonly monotonic: () => Milliseconds;
  /** Told why reads do not go beside the writes. */
  readonly onFailure: (problem: TealError) => void;
}

/**
 * The same store for answers to people, whose small reads are made right here, on an opening of their own: asking the store's
 * thread costs more than most of them, and it may wait for the disk with the writes of hundreds of deployments. A read sees
 * all that was written by calls that were answered before it was asked; of one that is not answered yet, all or nothing, also
 * where that was called first, and other reads may see it earlier: nothing that acts on what it reads is to use it.
 */
export function readBeside(store: Store, options: ReadBesideOptions): Store {
  const beside = new Beside(options);
  const ask = (method: StoreMethod, values: readonly unknown[]): unknown => Reflect.apply(store[method], store, values);
  const read = async (method: StoreMethod, values: readonly unknown[]): Promise<unknown> => {
    const answer = await beside.read(method, values);
    return answer === null ? ask(method, values) : answer.value;
  };
  const close = async (): Promise<void> => {
    // A last opening that ends takes the log of writes with it: that is the writer's to do.
    await beside.close();
    await store.close();
  };
  const call = (method: StoreMethod, values: readonly unknown[]): unknown => {
    if (method === "close") return close();
    return SMALL_READS[method]?.(values) === true ? read(method, values) : ask(method, values);
  };
  return storeThrough(call as StoreCall);
}

class Beside {
  readonly #options: ReadBesideOptions;
  readonly #share: TurnShare;
  #reader: Reader | null = null;
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
      const reader = this.#opened();
      if (reader === null) return null;
      const { store, isBroken } = reader;
      try {
        return { value: Reflect.apply(store[method], store, values) as unknown };
      } catch (thrown) {
        if (isBroken(thrown)) this.#giveUp(toTealError(thrown));
        return null;
      }
    });
  }

  /** After all that was asked before. */
  async close(): Promise<void> {
    await this.#share.run(() => {
      this.#isClosed = true;
      this.#end();
    });
  }

  #opened(): Reader | null {
    const { open, monotonic } = this.#options;
    if (this.#reader !== null || this.#isClosed || monotonic() < this.#notBefore) return this.#reader;
    try {
      this.#reader = open();
    } catch (thrown) {
      this.#giveUp(toTealError(thrown));
    }
    return this.#reader;
  }

  #giveUp(problem: TealError): void {
    this.#notBefore = this.#options.monotonic() + AGAIN_MS;
    this.#options.onFailure(problem);
    this.#end();
  }

  #end(): void {
    const reader = this.#reader;
    this.#reader = null;
    try {
      reader?.store.close();
    } catch (thrown) {
      this.#options.onFailure(toTealError(thrown));
    }
  }
}
