import fc from "fast-check";
import { expect, it } from "vitest";
import { batchTimes } from "./batch-times.ts";

it("batches come in order, one in each slot of at most a quarter of a second, within the spread", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 60_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (spread, point) => {
        const times = batchTimes(spread, () => point);
        expect(times.length).toBe(Math.max(1, Math.ceil(spread / 250)));
        const slot = spread / times.length;
        times.forEach((at, i) => {
          expect(at).toBeGreaterThanOrEqual(i * slot);
          expect(at).toBeLessThanOrEqual((i + 1) * slot);
        });
      },
    ),
  );
});

it("the jitter is the random source's", () => {
  expect(batchTimes(500, () => 0)).toEqual([0, 250]);
  expect(batchTimes(500, () => 0.5)).toEqual([125, 375]);
  expect(batchTimes(0, () => 0.5)).toEqual([0]);
});
