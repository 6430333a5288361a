import { expect, test } from "vitest";
import { inParallel } from "./parallel.ts";

test("all of them, so many at a time", async () => {
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  await inParallel([1, 2, 3, 4, 5], 2, async (item) => {
    begun.push(item);
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
  });
  expect({ begun, most }).toEqual({ begun: [1, 2, 3, 4, 5], most: 2 });
});

test("the first failure is told", async () => {
  const failing = inParallel([1, 2, 3], 2, (item) =>
    item === 2 ? Promise.reject(new Error("two")) : Promise.resolve(),
  );
  await expect(failing).rejects.toThrow("two");
});
