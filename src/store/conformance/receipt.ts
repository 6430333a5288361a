import { expect, test } from "vitest";
import { sampleReceipt } from "../samples.ts";
import type { Get, Reopen } from "./setting.ts";

/** What switches did: part of the suite of every store. */
export function receiptConformance(get: Get, reopen: Reopen): void {
  test("a receipt is replaced by its final one, and the final one by no other of its deployment", async () => {
    await get().putReceipt(sampleReceipt());
    await get().putReceipt(sampleReceipt({ drained: 7, final: true }));
    await get().putReceipt(sampleReceipt({ drained: 1 }));
    await get().putReceipt(sampleReceipt({ generation: 2, deployment: "dep_1" }));
    await reopen();
    expect((await get().receipts("dep_1")).map((row) => [row.generation, row.drained, row.final])).toEqual([
      [1, 7, true],
      [2, 3, false],
    ]);
  });
}
