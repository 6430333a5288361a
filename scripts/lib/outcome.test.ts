import { describe, expect, it } from "vitest";
import { FAILED, PASSED, summary, total, type Outcome } from "./outcome.ts";

const lacking: Outcome = { passed: 3, failed: 0, skipped: [{ name: "bench", reason: "wrk is not installed" }] };
const silent: Outcome = { passed: 3, failed: 0, skipped: [{ name: "bench", reason: null }] };

describe("total", () => {
  it("adds up stages and tests", () => {
    expect(total([PASSED, FAILED, lacking], false)).toMatchObject({ passed: 4, failed: 1 });
  });

  it("makes a missing service a failure in CI", () => {
    expect(total([lacking], true)).toMatchObject({ passed: 3, failed: 1 });
  });

  it("makes a test skipped without a reason a failure everywhere", () => {
    expect(total([silent], false)).toMatchObject({ passed: 3, failed: 1 });
  });
});

describe("summary", () => {
  it("ends with the line that machines read", () => {
    expect(summary(total([PASSED, FAILED, lacking], false))).toEqual([
      "could not run here:",
      "  bench: wrk is not installed",
      "4 passed, 1 failed",
    ]);
  });
});
