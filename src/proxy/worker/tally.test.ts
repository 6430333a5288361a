import { expect, test } from "vitest";
import { COUNTER, SERVICE_CELL, sharedInts, sharedNumbers, takeChanged } from "../cells.ts";
import { Tally } from "./tally.ts";

function tally(): {
  tally: Tally;
  marks: () => boolean;
  count: (field: "requests" | "failures") => number | undefined;
} {
  const [counters, cell] = [sharedNumbers(COUNTER.length), sharedInts(SERVICE_CELL.held + 1)];
  return {
    tally: new Tally(counters, cell, () => null),
    marks: () => takeChanged(cell),
    count: (field) => counters[COUNTER[field]],
  };
}

test("each change of a count is marked, so that its sample is told", () => {
  const { tally: one, marks } = tally();
  const changes = [
    () => one.event("connectFailures"),
    () => one.event("retried"),
    () => one.event("held"),
    () => one.answered(200, 1),
    () => one.broken(),
  ];
  for (const change of changes) {
    expect(marks()).toBe(false);
    change();
    expect(marks()).toBe(true);
  }
  const { tally: other, marks: otherMarks } = tally();
  for (const change of [() => other.rescued(), () => other.answered(502, null)]) {
    change();
    expect(otherMarks()).toBe(true);
  }
});

test("a request is counted once, and fails once", () => {
  const { tally: one, marks, count } = tally();
  one.answered(200, 1);
  one.broken();
  expect([count("requests"), count("failures")]).toEqual([1, 1]);
  expect(marks()).toBe(true);
  one.answered(500, 1);
  one.broken();
  expect([count("requests"), count("failures")]).toEqual([1, 1]);
  expect(marks()).toBe(false);
});
