import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canBecome, DEPLOYMENT_STATES, isEnded } from "./deployment.ts";
import { TealError, toTealError } from "./error.ts";
import { isName } from "./names.ts";
import { compareOrder, leader, sameWeights, weightsProblem } from "./traffic.ts";

describe("deployment states", () => {
  test("every state can come to an end: none is stuck", () => {
    const reaches = (from: (typeof DEPLOYMENT_STATES)[number], seen: Set<string>): boolean => {
      if (isEnded(from)) return true;
      if (seen.has(from)) return false;
      seen.add(from);
      return DEPLOYMENT_STATES.some((to) => canBecome(from, to) && reaches(to, seen));
    };
    expect(DEPLOYMENT_STATES.filter((state) => !reaches(state, new Set()))).toEqual([]);
  });

  test("every state that has not ended can be taken back", () => {
    const open = DEPLOYMENT_STATES.filter((state) => !isEnded(state) && state !== "rolling-back");
    expect(open.filter((state) => !canBecome(state, "rolling-back"))).toEqual([]);
  });

  test("what has ended stays as it is", () => {
    for (const from of DEPLOYMENT_STATES.filter(isEnded))
      expect(DEPLOYMENT_STATES.some((to) => canBecome(from, to))).toBe(false);
  });
});

describe("weights", () => {
  test("sum to 100 or are refused", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom("blue", "green", "teal"), fc.integer({ min: -5, max: 105 })),
        (weights) => {
          const values = Object.values(weights);
          const sound =
            values.every((weight) => weight >= 0 && weight <= 100) &&
            values.reduce((sum, weight) => sum + weight, 0) === 100;
          expect(weightsProblem(weights) === null).toBe(sound);
        },
      ),
    );
    expect(weightsProblem({ blue: 33.3, green: 66.7 })).toContain("not an integer");
  });

  test("an environment that is not named has none", () => {
    expect(sameWeights({ blue: 100 }, { blue: 100, green: 0 })).toBe(true);
    expect(sameWeights({ blue: 90, green: 10 }, { blue: 100 })).toBe(false);
    expect(leader({ blue: 10, green: 90 })).toBe("green");
    expect(leader({})).toBeNull();
  });
});

test("splits are ordered by fence, then by generation", () => {
  const orders = fc.record({ fence: fc.nat(3), generation: fc.nat(3) });
  fc.assert(
    fc.property(orders, orders, (a, b) => {
      expect(Math.sign(compareOrder(a, b))).toBe(
        Math.sign(a.fence * 10 + a.generation - (b.fence * 10 + b.generation)),
      );
    }),
  );
});

test("names can stand in a path and an argument list", () => {
  for (const good of ["v1", "v2+1", "2.12.2", "a_b-c", "9f8e"]) expect(isName(good)).toBe(true);
  for (const bad of ["", "-v", ".hidden", "a/b", "a..b", "a b", "é", "x".repeat(129), "a\n"])
    expect(isName(bad)).toBe(false);
});

test("anything thrown becomes a TealError, and keeps where it came from", () => {
  const own = new TealError("drift", "changed");
  expect(toTealError(own)).toBe(own);
  expect(toTealError(new Error("boom"))).toMatchObject({ code: "internal", message: "boom", exit: 1, status: 500 });
  expect(toTealError("text").message).toContain("text");
});

test("an act that AbortSignal.timeout ended has passed its deadline, and is no failure of Teal's own", async () => {
  const signal = AbortSignal.timeout(0);
  await new Promise((resolve) => {
    signal.addEventListener("abort", resolve, { once: true });
  });
  const error = toTealError(signal.reason);
  expect(error.code).toBe("deadline-passed");
  expect(error.cause).toBe(signal.reason);
});
