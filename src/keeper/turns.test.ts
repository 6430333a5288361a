import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

test("who comes at once is let through in order, with a turn of the event loop between two", async () => {
  const turns = new Turns();
  const seen: string[] = [];
  let left = 3;
  const other = (): void => {
    seen.push("other");
    if (left > 0) setImmediate(other);
  };
  setImmediate(other);
  await Promise.all(
    ["a", "b", "c"].map(async (name) => {
      await turns.take();
      seen.push(name);
      left -= 1;
    }),
  );
  expect(seen.filter((name) => name !== "other")).toEqual(["a", "b", "c"]);
  const [a, b, c] = ["a", "b", "c"].map((name) => seen.indexOf(name));
  expect(seen.slice(a, b)).toContain("other");
  expect(seen.slice(b, c)).toContain("other");
});
