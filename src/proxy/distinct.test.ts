import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DISTINCT_ERROR } from "../model/traffic.ts";
import { pointOf } from "./affinity.ts";
import { addHash, estimate, REGISTERS } from "./distinct.ts";

function sketchOf(keys: Iterable<string>, seed = 1): Uint8Array {
  const sketch = new Uint8Array(REGISTERS);
  for (const key of keys) addHash(sketch, 0, pointOf(key, seed) * 2 ** 32);
  return sketch;
}

const users = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, n) => `user-${String(from + n)}`);

describe("a sketch", () => {
  test("of nobody says 0", () => {
    expect(estimate([new Uint8Array(REGISTERS)])).toBe(0);
    expect(estimate([])).toBe(0);
  });

  test.each([10, 300, 5_000, 20_000, 60_000, 300_000])("of %d keys is off by no more than is told", (n) => {
    const seeds = n > 100_000 ? [1, 2] : [1, 2, 3, 4, 5, 6, 7, 8];
    const errors = seeds.map((seed) => estimate([sketchOf(users(0, n), seed)]) / n - 1);
    // Ten keys are counted one by one, but for two that share a place.
    const allowed = n < 100 ? 0.11 : 3.5 * DISTINCT_ERROR;
    for (const error of errors) expect(Math.abs(error)).toBeLessThan(allowed);
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    expect(Math.abs(mean)).toBeLessThan(allowed / Math.sqrt(errors.length) + 0.002);
  });

  test("does not change by who comes again, nor by the order, and several say what one of all would", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 200 }),
        fc.integer({ min: 0, max: 200 }),
        (keys, cut) => {
          const whole = sketchOf(keys);
          expect(sketchOf([...keys, ...keys].toReversed())).toEqual(whole);
          const parts = [sketchOf(keys.slice(0, cut)), sketchOf(keys.slice(cut))];
          expect(estimate(parts)).toBe(estimate([whole]));
        },
      ),
      { numRuns: 50 },
    );
  });

  test("is off by what the model tells", () => {
    expect(DISTINCT_ERROR).toBe(1.04 / Math.sqrt(REGISTERS));
  });
});
