import { expect, test } from "vitest";
import { FINE_BOUNDS_MS, LATENCY_BOUNDS_MS, latencyOf } from "./latency.ts";
import { sparse } from "./series.ts";

test("empty buckets are left out, and the finer grid is kept where it was told", () => {
  const counts = FINE_BOUNDS_MS.map((_, bucket) => (bucket === 7 ? 3 : bucket === 60 ? 1 : 0));
  expect(sparse(latencyOf(counts))).toEqual([
    [7, 3],
    [60, 1],
  ]);
  expect(sparse(latencyOf([]))).toEqual([]);
});

test("what was counted on the coarse grid is at the same bound of the finer one", () => {
  const latency = [...LATENCY_BOUNDS_MS.map((_, bucket) => (bucket === 20 ? 5 : 0)), 2];
  const [known, beyond] = sparse({ latency });
  expect(FINE_BOUNDS_MS[known?.[0] ?? -1]).toBeCloseTo(LATENCY_BOUNDS_MS[20] ?? 0);
  expect(beyond).toEqual([FINE_BOUNDS_MS.length, 2]);
});
