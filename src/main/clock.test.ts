import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { systemClock } from "./clock.ts";

test("a sleep ends with the reason of its signal, at once and also when it was aborted before", async () => {
  const reason = new Error("enough");
  const late = new AbortController();
  const sleeping = systemClock.sleep(600_000, late.signal);
  late.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
  await expect(systemClock.sleep(600_000, AbortSignal.abort(reason))).rejects.toBe(reason);
});

test("a sleep that ends leaves nothing behind at its signal", async () => {
  const after = new AbortController();
  const before = systemClock.monotonic();
  await systemClock.sleep(5, after.signal);
  expect(systemClock.monotonic() - before).toBeGreaterThanOrEqual(4);
  expect(getEventListeners(after.signal, "abort")).toEqual([]);
});
