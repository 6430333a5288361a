import { expect, it } from "vitest";
import { parseCpuList } from "./cpus.ts";

it.each([
  ["0", [0]],
  ["0-3", [0, 1, 2, 3]],
  ["1,4-5,9", [1, 4, 5, 9]],
])("%s is the processors %j", (text, cpus) => {
  expect(parseCpuList(text)).toEqual(cpus);
});
