import { describe, expect, it } from "vitest";
import { ActiveTest, type Pair } from "./active-test.ts";
import { seeded } from "./testing.ts";

const none = { candidate: { requests: 0, failures: 0 }, baseline: { requests: 0, failures: 0 } };

/** Runs batches of what `rates` says; each share of 20 requests goes to the candidate at random. */
function run(
  test: ActiveTest,
  seed: number,
  rates: (batch: number) => { ours: number; theirs: number; share: number },
) {
  const random = seeded(seed);
  let state = test.begin(none);
  let total: Pair = none;
  for (let batch = 0; batch < 200 && state.convicted === null; batch++) {
    const { ours, theirs, share } = rates(batch);
    const now = { candidate: { ...total.candidate }, baseline: { ...total.baseline } };
    for (let i = 0; i < 20; i++) {
      const isOurs = random() < share;
      const side = isOurs ? now.candidate : now.baseline;
      side.requests += 1;
      if (random() < (isOurs ? ours : theirs)) side.failures += 1;
    }
    total = now;
    state = test.next(state, total);
  }
  return state;
}

describe("the comparison with the active environment", () => {
  it("convicts a release that fails a fifth within sixty of its requests, mostly", () => {
    const after = Array.from({ length: 40 }, (_, seed) => {
      const state = run(new ActiveTest(0.00025), seed, () => ({ ours: 0.2, theirs: 0.001, share: 0.1 }));
      return state.convicted ?? Infinity;
    }).toSorted((a, b) => a - b);
    expect(after[20]).toBeLessThan(60);
  });

  it("is confirmed by simulation: an outage of both, and a split that changes in it, convict nobody", () => {
    const [alpha, releases] = [0.05, 3_000];
    const test = new ActiveTest(alpha);
    let convicted = 0;
    for (let seed = 0; seed < releases; seed++) {
      const state = run(test, seed, (batch) => {
        // The worst that is allowed: twice as bad and a point, all quiet first, the outage when the split is even.
        const theirs = batch < 50 ? 0 : batch < 100 ? 0.3 : 0.02;
        return { ours: 2 * theirs + 0.01, theirs, share: batch < 50 ? 0.1 : 0.5 };
      });
      if (state.convicted !== null) convicted += 1;
    }
    expect(convicted).toBeLessThan(releases * alpha + 3 * Math.sqrt(releases * alpha));
  });

  it("says nothing without requests of both", () => {
    const test = new ActiveTest(0.001);
    const state = test.begin(none);
    expect(test.next(state, none)).toBe(state);
    expect(test.next(state, { ...none, candidate: { requests: 900, failures: 900 } })).toBe(state);
  });
});
