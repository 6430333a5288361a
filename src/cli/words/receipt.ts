import { leader, sameWeights } from "../../model/traffic.ts";
import type { ReceiptAnswer } from "../../sdk/client.ts";
import { split } from "./weights.ts";

/** What a switch did, in one line: `switched blue → green: 12 in flight, 12 drained, 0 cut, failed or refused`. */
export function receiptLine(receipt: ReceiptAnswer): string {
  return `${change(receipt)}: ${counts(receipt)}`;
}

function change({ from, to }: ReceiptAnswer): string {
  if (sameWeights(from, to)) return `still ${split(to)}, other instances`;
  const before = leader(from);
  const after = leader(to);
  return Object.values(to).includes(100) && before !== null && before !== after
    ? `switched ${before} → ${String(after)}`
    : split(to);
}

function counts(receipt: ReceiptAnswer): string {
  const { inFlight, drained, held, retried, rescued, cut, failed, kernelRefused, final } = receipt;
  const parts = [`${String(inFlight)} in flight, ${String(drained)} drained`];
  for (const [count, word] of [
    [held, "held"],
    [retried, "retried"],
    [rescued, "rescued"],
  ] as const) {
    if (count > 0) parts.push(`${String(count)} ${word}`);
  }
  const bad = (
    [
      [cut, "cut"],
      [failed, "failed"],
      [kernelRefused, "refused by the kernel"],
    ] as const
  ).filter(([count]) => count > 0);
  parts.push(
    bad.length === 0 ? "0 cut, failed or refused" : bad.map(([count, word]) => `${String(count)} ${word}`).join(", "),
  );
  return parts.join(", ") + (final ? "" : " (still draining)");
}

/** Whether a receipt tells of harm, so that it is shown as such. */
export function harmed(receipt: ReceiptAnswer): boolean {
  return receipt.cut + receipt.failed + receipt.kernelRefused > 0;
}

/** Upkeep (an instance has moved) makes receipts too; they matter only when something came to harm. */
export function worthTelling(receipt: ReceiptAnswer): boolean {
  return harmed(receipt) || !sameWeights(receipt.from, receipt.to);
}
