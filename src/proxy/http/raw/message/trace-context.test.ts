import { expect, test } from "vitest";
import { isTraceparent, newTraceparent } from "./trace-context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";

test.each([
  `00-${TRACE}-${PARENT}-01`,
  `00-${TRACE}-${PARENT}-00`,
  `cc-${TRACE}-${PARENT}-01`,
  `cc-${TRACE}-${PARENT}-01-more`,
])("valid: %s", (value) => {
  expect(isTraceparent(value)).toBe(true);
});

test.each([
  "",
  `00-${TRACE}-${PARENT}`,
  `00-${TRACE}-${PARENT}-01-more`,
  `00-${TRACE}-${PARENT}-01-`,
  `cc-${TRACE}-${PARENT}-01more`,
  `cc-${TRACE}-${PARENT}-01-`,
  `ff-${TRACE}-${PARENT}-01`,
  `00-${"0".repeat(32)}-${PARENT}-01`,
  `00-${TRACE}-${"0".repeat(16)}-01`,
  `00-${TRACE.toUpperCase()}-${PARENT}-01`,
  `00-${TRACE}-${PARENT}-0x`,
  `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`,
])("not valid: %j", (value) => {
  expect(isTraceparent(value)).toBe(false);
});

test("a new one is valid, even from zeros", () => {
  expect(newTraceparent(`${TRACE}${PARENT}`)).toBe(`00-${TRACE}-${PARENT}-01`);
  expect(isTraceparent(newTraceparent("0".repeat(48)))).toBe(true);
});
