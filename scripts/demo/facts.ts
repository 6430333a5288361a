import { z } from "zod";
import { receipt as receiptShape, type ReceiptAnswer } from "../../src/api/answers.ts";
import type { Teal } from "./teal.ts";

const status = z.object({ listeners: z.array(z.object({ address: z.string() })).min(1) });

/** Where traffic comes in: `http://127.0.0.1:…`. */
export async function trafficUrl(teal: Teal): Promise<string> {
  const { listeners } = status.parse((await teal.json(["status"]))[0]);
  return `http://${listeners[0]?.address ?? ""}`;
}

const event = z.object({ type: z.string(), data: z.record(z.string(), z.unknown()) });

/** The final receipt of every change of the split, oldest first; upkeep that changed no weight is left out. */
export async function finalReceipts(teal: Teal): Promise<readonly ReceiptAnswer[]> {
  const byGeneration = new Map<number, ReceiptAnswer>();
  for (const line of await teal.json(["events"])) {
    const { type, data } = event.parse(line);
    if (type !== "receipt") continue;
    const receipt = receiptShape.parse(data);
    if (words(receipt.from) !== words(receipt.to)) byGeneration.set(receipt.generation, receipt);
  }
  return [...byGeneration.values()];
}

/** `blue 90 %, green 10 %`; environments without traffic are not named. */
function words(weights: Readonly<Record<string, number>>): string {
  const parts = Object.entries(weights).filter(([, weight]) => weight > 0);
  return parts.length === 0 ? "nothing" : parts.map(([name, weight]) => `${name} ${String(weight)} %`).join(", ");
}

export function receiptLine(receipt: ReceiptAnswer): string {
  const { from, to, inFlight, drained, held, retried, rescued, cut, failed, kernelRefused, final } = receipt;
  const counts = {
    "in flight": inFlight,
    drained,
    held,
    retried,
    rescued,
    cut,
    failed,
    "refused by the kernel": kernelRefused,
  };
  const text = Object.entries(counts).map(([name, count]) => `${String(count)} ${name}`);
  return `${words(from)} → ${words(to)}: ${text.join(", ")}${final ? "" : " (still draining)"}`;
}
