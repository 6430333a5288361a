import { describe, expect, it } from "vitest";
import { Ledger, type Summary } from "../../bench/lib/ledger.ts";
import type { ReceiptAnswer } from "../../src/api/answers.ts";
import { judge, timeToRollBack } from "./judge.ts";

const good: Summary = {
  ...new Ledger().summary(),
  sent: 100,
  failed: { v3: 6 },
  versions: { v3: { ok: 20, failed: 6, firstAt: 1_000, lastAt: 3_000, firstFailedAt: 1_200 } },
};

function receipt(at: number, to: Record<string, number>): ReceiptAnswer {
  const counts = { inFlight: 0, drained: 0, held: 0, retried: 0, rescued: 0, cut: 0, failed: 0, kernelRefused: 0 };
  return { service: "web", deployment: "d", generation: at, from: {}, to, at, ...counts, final: true };
}

describe("the demo's judgement", () => {
  it("has nothing to say of a run in which v3 alone failed and nothing was lost", () => {
    expect(judge(good)).toEqual([]);
  });

  it.each<[string, Partial<Summary>, string]>([
    ["a lost request", { lost: 1 }, "1 requests were lost"],
    ["a load that was cut short", { cancelled: 1 }, "cut short"],
    ["a v3 that never failed", { failed: {} }, "nothing was proved"],
    ["a good release that failed", { failed: { v2: 1, v3: 6 } }, "v2 failed"],
  ])("refuses %s", (_what, change, complaint) => {
    expect(judge({ ...good, ...change }).join()).toContain(complaint);
  });

  it("measures the roll back from v3's first failure to the split without it", () => {
    const receipts = [
      receipt(900, { green: 100 }),
      receipt(1_000, { green: 90, blue: 10 }),
      receipt(2_700, { green: 100 }),
      receipt(5_000, { blue: 100 }),
    ];
    expect(timeToRollBack(good, receipts)).toBe(1_500);
    expect(timeToRollBack(good, receipts.slice(0, 2))).toBeNull();
    expect(timeToRollBack({ ...good, versions: {} }, receipts)).toBeNull();
  });
});
