import type { Receipt } from "../../../model/traffic.ts";
import { mergeReceipts } from "./merge.ts";

interface Open {
  readonly missing: Set<number>;
  readonly got: Receipt[];
}

/** Switches whose receipt is remembered, for a proxy that tells its part late. */
const REMEMBERED = 64;

/**
 * Puts the final receipts of one switch together: one from each proxy that made it, by process id. One that comes when the
 * others have been told (of a proxy that was brought up to date later) is added to them and told again.
 */
export class ReceiptBook {
  readonly #open = new Map<string, Open>();
  readonly #told = new Map<string, Receipt>();
  readonly #onFinal: (receipt: Receipt) => void;

  constructor(onFinal: (receipt: Receipt) => void) {
    this.#onFinal = onFinal;
  }

  /** `made`: the other proxies that made the switch, as far as is known at the first call. */
  final(pid: number, receipt: Receipt, made: readonly number[]): void {
    const key = `${receipt.service}/${String(receipt.generation)}/${String(receipt.deployment)}`;
    const open = this.#open.get(key) ?? { missing: new Set(made), got: [] };
    this.#open.set(key, open);
    open.missing.delete(pid);
    open.got.push(receipt);
    this.#settle(key, open);
  }

  gone(pid: number): void {
    for (const [key, open] of this.#open) {
      open.missing.delete(pid);
      this.#settle(key, open);
    }
  }

  #settle(key: string, { missing, got }: Open): void {
    if (missing.size > 0) return;
    this.#open.delete(key);
    const before = this.#told.get(key);
    const receipt = mergeReceipts(before === undefined ? got : [before, ...got]);
    this.#told.delete(key);
    this.#told.set(key, receipt);
    for (const oldest of [...this.#told.keys()].slice(0, -REMEMBERED)) this.#told.delete(oldest);
    this.#onFinal(receipt);
  }
}
