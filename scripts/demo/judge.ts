import type { Summary } from "../../bench/lib/ledger.ts";
import type { ReceiptAnswer } from "../../src/api/answers.ts";

/** v3 ran on blue: its roll back is the first change after its first failure that leaves blue without traffic. */
export function timeToRollBack(summary: Summary, receipts: readonly ReceiptAnswer[]): number | null {
  const began = summary.versions["v3"]?.firstFailedAt ?? null;
  if (began === null) return null;
  const back = receipts.find((receipt) => receipt.at >= began && (receipt.to["blue"] ?? 0) === 0);
  return back === undefined ? null : back.at - began;
}

/** What the client's ledger shows that should not be; empty when all is well. */
export function judge(summary: Summary): readonly string[] {
  const complaints: string[] = [];
  if (summary.lost > 0)
    complaints.push(`${String(summary.lost)} requests were lost: ${JSON.stringify(summary.examples)}`);
  if (summary.cancelled > 0) complaints.push("the load was cut short");
  if ((summary.failed["v3"] ?? 0) === 0) complaints.push("v3 never failed, so nothing was proved");
  const others = Object.keys(summary.failed).filter((version) => version !== "v3");
  if (others.length > 0) complaints.push(`${others.join(", ")} failed, which are good releases`);
  return complaints;
}
