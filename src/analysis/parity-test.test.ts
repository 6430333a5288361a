import { describe, expect, it } from "vitest";
import { isBelow, lowestRate } from "./parity-test.ts";
import { seeded } from "./testing.ts";

describe("whether a release is not worse", () => {
  it("takes 370 clean requests for a margin of a point, and no test of 5 % can do with fewer than 298", () => {
    let needed = 0;
    while (!isBelow(0.01, { requests: needed, failures: 0 })) needed += 1;
    expect(needed).toBeGreaterThanOrEqual(298);
    expect(needed).toBeLessThan(380);
    expect(isBelow(0.01, { requests: 400, failures: 4 })).toBe(false);
    expect(isBelow(0.01, { requests: 10_000, failures: 20 })).toBe(true);
  });

  it("says nothing of no data, and of nothing allowed", () => {
    expect(isBelow(0.5, { requests: 0, failures: 0 })).toBe(false);
    expect(isBelow(0, { requests: 1e9, failures: 0 })).toBe(false);
    expect(isBelow(1, { requests: 1, failures: 1 })).toBe(true);
  });

  it("is confirmed by simulation: what fails as often as the limit is called good once in twenty at most", () => {
    const random = seeded(3);
    let good = 0;
    for (let release = 0; release < 2_000; release++) {
      for (let n = 1, k = 0; n <= 300; n++) {
        if (random() < 0.1) k += 1;
        if (isBelow(0.1, { requests: n, failures: k })) {
          good += 1;
          break;
        }
      }
    }
    expect(good).toBeLessThan(2_000 * 0.05 + 3 * Math.sqrt(2_000 * 0.05));
  });

  it("knows what a rate is at least, and never says more than was observed", () => {
    expect(lowestRate({ requests: 1_000, failures: 0 })).toBe(0);
    const least = lowestRate({ requests: 10_000, failures: 500 });
    expect(least).toBeGreaterThan(0.035);
    expect(least).toBeLessThan(0.05);
    expect(lowestRate({ requests: 10, failures: 10 })).toBeLessThan(1);
  });
});
