import { expect, test } from "vitest";
import { Lanes } from "./lanes.ts";

test("one key in order, also after a failure; another key does not wait", async () => {
  const lanes = new Lanes();
  const done: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = lanes.run("a", async () => {
    await gate.promise;
    done.push("first");
    throw new Error("no");
  });
  const second = lanes.run("a", async () => void done.push("second"));
  await lanes.run("b", async () => void done.push("other"));
  expect(done).toEqual(["other"]);
  gate.resolve();
  await expect(first).rejects.toThrow("no");
  await second;
  expect(done).toEqual(["other", "first", "second"]);
});
