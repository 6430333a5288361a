import { expect, test } from "vitest";
import { Standstill } from "./standstill.ts";

test("a late look judges nobody, and until the next one in time not all has been read", () => {
  const standstill = new Standstill(1_000, 250);
  expect([standstill.hasUnread(1_500), standstill.look(1_500)]).toEqual([false, 0]);
  expect([standstill.hasUnread(2_001), standstill.look(2_001)]).toEqual([true, 251]);
  expect([standstill.hasUnread(2_250), standstill.look(2_251)]).toEqual([true, 0]);
  expect(standstill.hasUnread(2_252)).toBe(false);
});

test("the second late look in a row judges: the process is busy, and nothing would ever be judged", () => {
  const standstill = new Standstill(0, 250);
  expect([17_000, 18_000, 19_000].map((now) => standstill.look(now))).toEqual([16_750, 0, 0]);
  expect([19_250, 25_000].map((now) => standstill.look(now))).toEqual([0, 5_500]);
});
