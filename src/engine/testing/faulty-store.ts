import { TealError } from "../../model/error.ts";
import { directSqliteStore } from "../../store/sqlite/direct.ts";
import type { Store } from "../../store/store.ts";
import { storeThrough, type StoreMethod } from "../../store/sync.ts";

const WRITES: ReadonlySet<StoreMethod> = new Set([
  "claim",
  "removeRelease",
  "accept",
  "transition",
  "approve",
  "rememberAbort",
  "putReceipt",
  "append",
  "putSeries",
  "prune",
]);

/** A store in memory whose disk a test can fill, and whose answers it can lose. */
export class FaultyStore {
  readonly #inner = directSqliteStore(":memory:");
  /** Every write fails with `store-failed`, as on a full disk. */
  refusing = false;
  /** The next call of this method is done, and then answered with `store-failed`. */
  losesAnswerOf: StoreMethod | null = null;
  /** Called before each write: a test waits or acts here. */
  before: (method: StoreMethod, values: readonly unknown[]) => Promise<void> | void = () => undefined;

  readonly store: Store = storeThrough((method, values) => this.#call(method, values) as never);

  async #call(method: StoreMethod, values: readonly unknown[]): Promise<unknown> {
    // Also for reads: one that comes after a write must not overtake it.
    await (WRITES.has(method) ? this.before(method, values) : undefined);
    if (WRITES.has(method)) {
      if (this.refusing) throw new TealError("store-failed", "the disk is full");
    }
    const call = this.#inner[method] as (...given: readonly unknown[]) => Promise<unknown>;
    const answer = await call(...values);
    if (this.losesAnswerOf !== method) return answer;
    this.losesAnswerOf = null;
    throw new TealError("store-failed", "the answer was lost");
  }
}
