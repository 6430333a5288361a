import { expect, test } from "vitest";
import { Heartbeat, LOOK_EVERY_MS } from "./heartbeat.ts";

/** Looks once a second, `count` times, from the second `from` on. */
function looks(beat: Heartbeat, from: number, count: number, state = "S"): number[] {
  return Array.from({ length: count }, (_, index) => beat.look((from + index) * LOOK_EVERY_MS, state));
}

test("silence is counted look by look, and any answer ends it", () => {
  const beat = new Heartbeat(0);
  expect(looks(beat, 1, 3)).toEqual([1, 2, 3]);
  beat.answered();
  expect(looks(beat, 4, 2)).toEqual([1, 2]);
});

test("a keeper that slept judges anew: what passed meanwhile is no silence of the other's", () => {
  const beat = new Heartbeat(0);
  looks(beat, 1, 9);
  expect(looks(beat, 3_600, 3)).toEqual([0, 1, 2]);
  // As late as that again and again, it never comes to a verdict.
  expect([3_700, 3_703, 3_706].map((second) => beat.look(second * LOOK_EVERY_MS, "S"))).toEqual([0, 0, 0]);
});

test("who waits for a disk or is being debugged does not hang; a stopped or busy one does", () => {
  const beat = new Heartbeat(0);
  looks(beat, 1, 2);
  expect(looks(beat, 3, 60, "D").at(-1)).toBe(2);
  expect(looks(beat, 63, 60, "t").at(-1)).toBe(2);
  expect(looks(beat, 123, 1, "T")).toEqual([3]);
  expect(looks(beat, 124, 1, "R")).toEqual([4]);
});
