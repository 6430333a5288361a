import type { Receipt } from "../../../model/traffic.ts";
import { mergeReceipts } from "./merge.ts";

interface Open {
  readonly missing: Set<number>;
  readonly got: Receipt[];
}

/** Puts the final receipts of one switch together: one from each proxy that made it, by process id. */
export class ReceiptBook {
  readonly #open = new Map<string, Open>();
  readonly #onFinal: (receipt: Receipt) => void;

  constructor(onFinal: (receipt: Receipt) => void) {
    this.#onFinal = onFinal;
  }

  /** `present`: the proxies that are connected; those of the first call are the ones that made the switch. */
  final(pid: number, receipt: Receipt, present: readonly number[]): void {
    const key = `${receipt.service}/${String(receipt.generation)}/${String(receipt.deployment)}`;
    const open = this.#open.get(key) ?? { missing: new Set(present), got: [] };
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
    this.#onFinal(mergeReceipts(got));
  }
}
