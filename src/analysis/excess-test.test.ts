import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { falseAlarmBound, boundaryOf } from "./boundary.ts";
import { type ExcessState, ExcessTest } from "./excess-test.ts";
import { Mixture } from "./mixture.ts";
import { priorAbove } from "./prior.ts";
import { seeded } from "./testing.ts";

const limits = fc.constantFrom(0.001, 0.01, 0.03, 0.05, 0.2, 0.5);
const total = (requests: number, failures: number) => ({ requests, failures });
const after = (test: ExcessTest, batches: readonly (readonly [number, number])[]): ExcessState => {
  let [state, requests, failures] = [test.begin(), 0, 0];
  for (const [more, failed] of batches) {
    requests += more;
    failures += Math.min(more, failed);
    state = test.next(state, total(requests, failures));
  }
  return state;
};

describe("the prior", () => {
  it("property: lies above its limit, and sums to one", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-5, max: 0.999, noNaN: true }), (limit) => {
        const atoms = priorAbove(limit);
        expect(atoms.every(({ p }) => p > limit && p <= 1)).toBe(true);
        expect(atoms.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
      }),
    );
  });
});

describe("wealth", () => {
  it("property: one more request neither raises nor, at the limit, lowers its mean by more than chance lets it", () => {
    fc.assert(
      fc.property(limits, fc.nat(300), fc.nat(20), fc.double({ min: 0, max: 1, noNaN: true }), (limit, n, k, share) => {
        const mixture = new Mixture(limit, priorAbove(limit));
        const count = total(n, Math.min(n, k));
        const failed = mixture.logWealth(total(n + 1, count.failures + 1)) - mixture.logWealth(count);
        const answered = mixture.logWealth(total(n + 1, count.failures)) - mixture.logWealth(count);
        const mean = (p: number): number => p * Math.exp(failed) + (1 - p) * Math.exp(answered);
        expect(mean(limit)).toBeCloseTo(1, 9);
        expect(mean(limit * share)).toBeLessThanOrEqual(1 + 1e-9);
      }),
    );
  });

  it("stays a number up to 10^9 requests", () => {
    for (const failures of [0, 1, 4e7, 5e7, 1e9]) {
      const log = new Mixture(0.05, priorAbove(0.05)).logWealth(total(1e9, failures));
      expect(Number.isFinite(log)).toBe(true);
      expect(log > 0).toBe(failures > 5e7);
    }
  });
});

describe("the boundary", () => {
  it.each([0.001, 0.01, 0.05, 0.3])("spends all of α at a limit of %d, and no more", (limit) => {
    const mixture = new Mixture(limit, priorAbove(limit));
    const boundary = boundaryOf(mixture, 0.001);
    expect(falseAlarmBound(mixture, boundary)).toBeLessThanOrEqual(0.001);
    expect(falseAlarmBound(mixture, boundary - 0.1)).toBeGreaterThan(0.0009);
    expect(boundary).toBeLessThan(Math.log(1_000));
  });

  it("is confirmed by simulation: of 20,000 releases exactly at the limit no more are convicted than α says", () => {
    const [limit, alpha, releases, requests] = [0.2, 0.05, 20_000, 400];
    const mixture = new Mixture(limit, priorAbove(limit));
    const boundary = boundaryOf(mixture, alpha);
    const random = seeded(7);
    const worst = Array.from({ length: requests + 1 }, (_, n) => {
      let k = 0;
      while (k <= n && mixture.logWealth(total(n, k)) < boundary) k += 1;
      return k;
    });
    let convicted = 0;
    for (let i = 0; i < releases; i++) {
      for (let n = 1, k = 0; n <= requests; n++) {
        if (random() < limit) k += 1;
        if (k >= (worst[n] ?? Infinity)) {
          convicted += 1;
          break;
        }
      }
    }
    // Three standard deviations of the count at α.
    expect(convicted).toBeLessThan(releases * alpha + 3 * Math.sqrt(releases * alpha));
    // It spends what it has: the bound is no empty one.
    expect(convicted).toBeGreaterThan(releases * alpha * 0.7);
  });
});

it("a test made for one look, looked at after each request, convicts far more often than its α says", () => {
  const [limit, alpha, releases, requests] = [0.2, 0.05, 2_000, 400];
  const random = seeded(7);
  let convicted = 0;
  for (let i = 0; i < releases; i++) {
    for (let n = 1, k = 0; n <= requests; n++) {
      if (random() < limit) k += 1;
      // The normal quantile of 0.95.
      if (n >= 30 && k - n * limit > 1.645 * Math.sqrt(n * limit * (1 - limit))) {
        convicted += 1;
        break;
      }
    }
  }
  // So the simulations here would show it, if the sequential tests did so too.
  expect(convicted).toBeGreaterThan(releases * alpha * 3);
});

describe("the test of an excess", () => {
  it("convicts what fails every request after four, and forgets nothing", () => {
    const test = new ExcessTest(0.05, 0.0005);
    expect(
      after(test, [
        [1, 1],
        [1, 1],
      ]).convicted,
    ).toBeNull();
    const state = after(test, [
      [1, 1],
      [1, 1],
      [1, 1],
      [1, 1],
      [500, 0],
    ]);
    expect(state.convicted).toEqual(total(4, 4));
  });

  it("says nothing of no data, of a repeated or an older reading, and of a limit of 100 %", () => {
    const test = new ExcessTest(0.05, 0.001);
    const state = test.next(test.begin(), total(10, 1));
    expect(test.next(test.begin(), total(0, 0))).toEqual(test.begin());
    expect(test.next(state, total(10, 1))).toBe(state);
    expect(test.next(state, total(5, 0))).toBe(state);
    expect(after(new ExcessTest(1, 0.001), [[1_000, 1_000]]).convicted).toBeNull();
  });

  it("property: the test from the start does not depend on batches", () => {
    fc.assert(
      fc.property(
        limits,
        fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.nat(3)), { minLength: 1 }),
        (limit, batches) => {
          const mixture = new Mixture(limit, priorAbove(limit));
          let [n, k] = [0, 0];
          for (const [requests, failed] of batches) [n, k] = [n + requests, k + Math.min(requests, failed)];
          const parts = batches.map(([requests, failed]) =>
            mixture.factors(total(requests, Math.min(requests, failed))),
          );
          for (const [index, whole] of mixture.factors(total(n, k)).entries()) {
            const sum = parts.reduce((all, part) => all + (part[index] ?? 0), 0);
            if (Number.isFinite(whole)) expect(sum).toBeCloseTo(whole, 6);
            else expect(sum).toBe(whole);
          }
        },
      ),
    );
  });

  it("property: more failures never acquit", () => {
    fc.assert(
      fc.property(
        limits,
        fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat(40), fc.nat(5)), { maxLength: 20 }),
        (limit, batches) => {
          const test = new ExcessTest(limit, 0.001);
          const fewer = after(
            test,
            batches.map(([n, k]) => [n, k] as const),
          );
          const more = after(
            test,
            batches.map(([n, k, extra]) => [n, k + extra] as const),
          );
          if (fewer.convicted !== null) {
            expect(more.convicted?.requests).toBeLessThanOrEqual(fewer.convicted.requests);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("convicts soon also after 200,000 good requests", () => {
    const test = new ExcessTest(0.05, 0.0005);
    let state = test.begin();
    for (let n = 20; n <= 200_000; n += 20) state = test.next(state, total(n, n / 200));
    expect(state.convicted).toBeNull();
    let bad = 0;
    while (state.convicted === null && bad < 1_000) {
      bad += 1;
      state = test.next(state, total(200_000 + bad, 1_000 + bad));
    }
    expect(bad).toBeLessThanOrEqual(14);
  });

  it("is confirmed by simulation under bursts: failures of a mean within the limit, all at once", () => {
    const [limit, alpha, releases] = [0.2, 0.02, 4_000];
    const test = new ExcessTest(limit, alpha);
    const random = seeded(11);
    let convicted = 0;
    for (let i = 0; i < releases; i++) {
      let [state, n, k] = [test.begin(), 0, 0];
      // Good for a while, then at the limit, by what was seen so far: the worst that the assumption allows of.
      for (let batch = 0; batch < 40; batch++) {
        for (let j = 0; j < 5; j++) {
          n += 1;
          if (random() < (k > n / 5 ? limit : limit * (batch % 3 === 0 ? 0.2 : 1))) k += 1;
        }
        state = test.next(state, total(n, k));
      }
      if (state.convicted !== null) convicted += 1;
    }
    expect(convicted).toBeLessThan(releases * alpha + 3 * Math.sqrt(releases * alpha));
  });

  it("survives a crash as JSON, and is as large after a thousand batches as after one", () => {
    const test = new ExcessTest(0.05, 0.001);
    const batches = Array.from({ length: 1_000 }, (_, i) => [10, i % 40 === 0 ? 1 : 0] as const);
    const state = after(test, batches);
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    expect(JSON.stringify(state).length).toBeLessThan(600);
  });
});
