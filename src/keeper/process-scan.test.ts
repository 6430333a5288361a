import { expect, test } from "vitest";
import { systemClock } from "../main/clock.ts";
import { ProcessScan } from "./process-scan.ts";

test("those who ask together get one reading, begun after they asked", async () => {
  let readings = 0;
  const scan = new ProcessScan(systemClock, () => {
    readings += 1;
    return [];
  });
  const first = scan.fresh();
  expect(readings).toBe(0);
  expect(scan.fresh()).toBe(first);
  await first;
  expect(readings).toBe(1);
  const second = scan.fresh();
  expect(readings).toBe(1);
  await second;
  expect(readings).toBe(2);
});
