import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseEnvironment, sharesOf } from "./choose.ts";

describe("chooseEnvironment", () => {
  test("gives each environment exactly its share of [0, 1)", () => {
    const shares = sharesOf({ blue: 90, green: 10 });
    const counts = { blue: 0, green: 0 };
    for (let i = 0; i < 1_000; i += 1) counts[chooseEnvironment(shares, i / 1_000) as "blue" | "green"] += 1;
    expect(counts).toEqual({ blue: 900, green: 100 });
  });

  test("never chooses an environment without weight", () => {
    const shares = sharesOf({ blue: 0, green: 100 });
    for (const u of [0, 0.5, 1 - Number.EPSILON]) expect(chooseEnvironment(shares, u)).toBe("green");
  });

  test("is null where nothing has weight", () => {
    expect(chooseEnvironment(sharesOf({}), 0.3)).toBeNull();
  });

  test("as the new side grows, a client only ever moves to it", () => {
    const weight = fc.integer({ min: 0, max: 100 });
    fc.assert(
      fc.property(weight, weight, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (a, b, u) => {
        const [less, more] = [Math.min(a, b), Math.max(a, b)];
        const side = (green: number): string | null => chooseEnvironment(sharesOf({ blue: 100 - green, green }), u);
        if (side(less) === "green") expect(side(more)).toBe("green");
      }),
    );
  });
});
