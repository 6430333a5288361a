import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawn } from "./drawn.ts";

const TEN = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "x"];

const random = (seed: number) => (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};

describe("a share drawn at random", () => {
  it("has the size of the share, to one, and no item twice", () => {
    fc.assert(
      fc.property(fc.nat(200), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(), (size, share, seed) => {
        const items = Array.from({ length: size }, (_, i) => i);
        const some = drawn(items, share, random(seed));
        expect(new Set(some).size).toBe(some.length);
        expect(Math.abs(some.length - size * share)).toBeLessThan(1);
        expect(drawn(items, 1, random(seed)).toSorted((a, b) => a - b)).toEqual(items);
      }),
    );
  });

  it("favours none: a tenth of one item, and one of ten, are drawn about every tenth time", () => {
    const next = random(1);
    const times = (items: readonly string[]): number =>
      Array.from({ length: 10_000 }, () => drawn(items, 0.1, next)).filter((some) => some.includes("x")).length;
    expect(times(["x"])).toBeGreaterThan(900);
    expect(times(["x"])).toBeLessThan(1_100);
    expect(times(TEN)).toBeGreaterThan(900);
    expect(times(TEN)).toBeLessThan(1_100);
  });
});
