import { expect, test } from "vitest";
import { ManualClock } from "../../../engine/testing/manual-clock.ts";
import type { ToldObservation } from "../../../ports/traffic.ts";
import { ToldObservations } from "./told-observations.ts";

const at = (generation: number): ToldObservation => ({
  split: { fence: 1, generation, weights: { blue: 100 } },
  armed: null,
  latched: [],
  instances: [],
});

test("what was told last counts, of each service", () => {
  const told = new ToldObservations(new ManualClock());
  told.heard();
  expect(told.of("web")).toBeNull();
  told.note("web", at(1));
  told.note("shop", at(7));
  told.note("web", at(2));
  expect([told.of("web"), told.of("shop")]).toEqual([at(2), at(7)]);
});

test("it counts while the proxy is heard, and again when it is", () => {
  const clock = new ManualClock();
  const told = new ToldObservations(clock);
  told.heard();
  told.note("web", at(1));
  clock.advance(2_000);
  expect(told.of("web")).toEqual(at(1));
  clock.advance(1);
  expect(told.of("web")).toBeNull();
  told.heard();
  expect(told.of("web")).toEqual(at(1));
  // However the wall clock is set.
  clock.jump(3_600_000);
  expect(told.of("web")).toEqual(at(1));
});

test("nothing of it outlives the connection", () => {
  const told = new ToldObservations(new ManualClock());
  told.heard();
  told.note("web", at(1));
  told.forget();
  told.heard();
  expect(told.of("web")).toBeNull();
});
