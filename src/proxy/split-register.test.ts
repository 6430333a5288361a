import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareOrder, type Weights } from "../model/traffic.ts";
import {
  applied,
  disarmed,
  EMPTY_REGISTER,
  flippedBack,
  isLatched,
  judge,
  latch,
  type SplitChange,
  type SplitRegister,
} from "./split-register.ts";

const BLUE: Weights = { blue: 100, green: 0 };
const GREEN: Weights = { blue: 0, green: 100 };

const change = (fence: number, generation: number, more: Partial<SplitChange> = {}): SplitChange => ({
  service: "web",
  fence,
  generation,
  weights: BLUE,
  deployment: null,
  revertTo: null,
  ...more,
});

const shift = (fence: number, generation: number): SplitChange =>
  change(fence, generation, { weights: GREEN, deployment: "d1", revertTo: BLUE });

/** A revert, as the data plane makes it when nothing stands against it. */
const revert = (register: SplitRegister, deployment: string): SplitRegister => {
  const latched = latch(register, deployment, { at: 0, cause: "revert" });
  return register.armed?.deployment === deployment ? flippedBack(latched) : latched;
};

describe("order", () => {
  const live = applied(EMPTY_REGISTER, change(2, 5));

  test.each([
    ["a lower generation", change(2, 4)],
    ["a lower fence, whatever the generation", change(1, 9)],
    ["the same order with other weights", change(2, 5, { weights: GREEN })],
    ["the same order of another deployment", change(2, 5, { deployment: "d9" })],
  ])("%s is fenced", (_, refused) => {
    expect(() => judge(live, refused)).toThrow(expect.objectContaining({ code: "fenced" }));
  });

  test("the same again is the same, a higher generation or fence is newer", () => {
    expect(judge(live, change(2, 5))).toBe("same");
    expect(judge(live, change(2, 6))).toBe("newer");
    expect(judge(live, change(3, 1))).toBe("newer");
  });
});

describe("revert", () => {
  const armed = applied(applied(EMPTY_REGISTER, change(1, 1)), shift(1, 2));

  test("goes back to what was armed, one generation on", () => {
    const back = revert(armed, "d1");
    expect(back.split).toEqual({ fence: 1, generation: 3, weights: BLUE });
    expect(back.armed).toBeNull();
    expect(back.reverted).toBe("d1");
  });

  test("refuses the deployment for ever, and every fence up to the one that was live", () => {
    const back = revert(armed, "d1");
    expect(() => judge(back, { ...shift(9, 9) })).toThrow(expect.objectContaining({ code: "latched" }));
    expect(() => judge(back, change(1, 9))).toThrow(expect.objectContaining({ code: "latched" }));
    expect(judge(back, change(2, 1))).toBe("newer");
  });

  test("of a deployment that armed nothing leaves the split, and latches", () => {
    const after = revert(armed, "other");
    expect(after.split).toEqual(armed.split);
    expect(isLatched(after, "other")).toBe(true);
  });

  test("keeps the word of who asked with the newest latch alone, and no more of it than there is room for", () => {
    const because = { kind: "abort" as const, by: "ann", reason: "x".repeat(1_000) };
    const told = latch(armed, "d1", { at: 1, cause: "revert", because });
    expect(told.latches[0]?.because).toEqual({ ...because, reason: `${"x".repeat(255)}…` });
    const short = { ...because, reason: "wrong version" };
    const next = latch(told, "d2", { at: 2, cause: "revert", because: short });
    expect(next.latches.map((record) => record.because)).toEqual([undefined, short]);
    // The first word counts.
    expect(latch(next, "d2", { at: 3, cause: "revert", because })).toEqual(next);
  });

  test("keeps the newest 64 latches", () => {
    let register = armed;
    for (let n = 0; n < 100; n += 1) register = latch(register, `x${String(n)}`, { at: n, cause: "revert" });
    expect(register.latches).toHaveLength(64);
    expect(register.latches.at(-1)?.deployment).toBe("x99");
  });
});

describe("arming", () => {
  const armed = applied(applied(EMPTY_REGISTER, change(1, 1)), shift(1, 2));

  test("upkeep with the same weights leaves a deployment armed, another split ends that", () => {
    expect(applied(armed, change(1, 3, { weights: GREEN })).armed).toEqual({ deployment: "d1", revertTo: BLUE });
    expect(applied(armed, change(1, 3, { weights: BLUE })).armed).toBeNull();
  });

  test("disarm is for that deployment alone", () => {
    expect(disarmed(armed, "d2").armed).not.toBeNull();
    expect(disarmed(armed, "d1").armed).toBeNull();
  });
});

test("whatever comes in whatever order, the live order only grows and a latched deployment stays out", () => {
  const small = fc.integer({ min: 1, max: 6 });
  const name = fc.constantFrom("d1", "d2", "d3");
  const weights = fc.constantFrom(BLUE, GREEN, { blue: 50, green: 50 });
  const act = fc.oneof(
    fc.record({
      kind: fc.constant("apply" as const),
      fence: small,
      generation: small,
      deployment: fc.option(name),
      weights,
      revertTo: fc.option(weights),
    }),
    fc.record({ kind: fc.constant("revert" as const), deployment: name }),
    fc.record({ kind: fc.constant("disarm" as const), deployment: name }),
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      let register = EMPTY_REGISTER;
      const reverted = new Map<string, number>();
      for (const one of acts) {
        const before = register;
        if (one.kind === "disarm") register = disarmed(register, one.deployment);
        else if (one.kind === "revert") {
          register = revert(register, one.deployment);
          if (!reverted.has(one.deployment))
            reverted.set(one.deployment, isArmed(before, one.deployment) ? (before.split?.fence ?? 0) : 0);
        } else {
          const asked: SplitChange = { service: "web", ...one };
          let verdict: "newer" | "same" | null = null;
          try {
            verdict = judge(register, asked);
          } catch {
            verdict = null;
          }
          if (verdict === "newer") register = applied(register, asked);
          if (verdict !== null) {
            expect(one.deployment === null || !reverted.has(one.deployment)).toBe(true);
            expect(verdict === "same" || [...reverted.values()].every((fence) => one.fence > fence)).toBe(true);
          }
        }
        if (before.split !== null && register.split !== null)
          expect(compareOrder(register.split, before.split)).toBeGreaterThanOrEqual(0);
        if (before.split !== null && register.split !== null && compareOrder(register.split, before.split) === 0)
          expect(register.split.weights).toEqual(before.split.weights);
      }
    }),
    { numRuns: 500 },
  );
});

function isArmed({ armed }: typeof EMPTY_REGISTER, deployment: string): boolean {
  return armed?.deployment === deployment;
}

test("a revert of what is not armed holds back that deployment alone", () => {
  const live = applied(EMPTY_REGISTER, {
    service: "web",
    fence: 3,
    generation: 1,
    deployment: "d1",
    weights: GREEN,
    revertTo: null,
  });
  const told = latch(live, "d1", { at: 0, cause: "revert" });
  const next = { service: "web", fence: 3, generation: 2, weights: BLUE, revertTo: GREEN };
  expect(judge(told, { ...next, deployment: "d2" })).toBe("newer");
  expect(() => judge(told, { ...next, deployment: "d1" })).toThrow(expect.objectContaining({ code: "latched" }));
});
