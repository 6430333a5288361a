import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AffinitySpec } from "../model/service.ts";
import type { Weights } from "../model/traffic.ts";
import { affinityKey, affinityOf, pointOf } from "./affinity.ts";
import { chooseEnvironment, sharesOf } from "./choose.ts";

const KEYS: Readonly<Record<string, (n: number) => string>> = {
  numbers: (n) => String(n),
  "names of users": (n) => `user-${String(n)}@example.com`,
  addresses: (n) => `10.${String(n >> 16)}.${String((n >> 8) & 255)}.${String(n & 255)}`,
  "random sessions": (n) => (Math.imul(n + 1, 0x9e3779b1) >>> 0).toString(36).repeat(5),
};
const COUNT = 100_000;
const SEEDS = [0, 1, 2, 0x811c9dc5, 0xffffffff];

/** Pearson's statistic against equal shares. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Upper 10⁻⁵ quantile for 99 degrees of freedom: one of the 40 cases below would pass it by chance in 1 of 2,500 hashes. */
const LIMIT = 171.5;

describe("the point of a key", () => {
  test.each(Object.entries(KEYS))("is spread evenly over [0, 1): %s", (_, key) => {
    for (const seed of SEEDS) {
      const counts = Array.from({ length: 100 }, () => 0);
      for (let n = 0; n < COUNT; n += 1) {
        const cell = Math.floor(pointOf(key(n), seed) * 100);
        counts[cell] = (counts[cell] ?? 0) + 1;
      }
      expect(chiSquare(counts)).toBeLessThan(LIMIT);
    }
  });

  test.each(Object.entries(KEYS))("under another seed says nothing of the one before: %s", (_, key) => {
    for (const seed of SEEDS) {
      const counts = Array.from({ length: 100 }, () => 0);
      for (let n = 0; n < COUNT; n += 1) {
        const cell = Math.floor(pointOf(key(n), seed) * 10) * 10 + Math.floor(pointOf(key(n), seed ^ 0x5bd1e995) * 10);
        counts[cell] = (counts[cell] ?? 0) + 1;
      }
      expect(chiSquare(counts)).toBeLessThan(LIMIT);
    }
  });

  test("a hash that is not even would be found", () => {
    const counts = Array.from({ length: 100 }, () => 0);
    for (let n = 0; n < COUNT; n += 1) {
      const cell = Math.floor(pointOf(String(n), 0) ** 1.05 * 100);
      counts[cell] = (counts[cell] ?? 0) + 1;
    }
    expect(chiSquare(counts)).toBeGreaterThan(LIMIT);
  });
});

const TRAFFIC = {
  driver: "embedded",
  hosts: [],
  paths: ["/"],
  drainMs: 0,
  longLivedMs: 0,
  onControllerLoss: "keep",
} as const;

function table(by: AffinitySpec | undefined, releases: Readonly<Record<string, string>>, service = "web") {
  const backends = Object.entries(releases).map(([environment, release]) => ({ environment, release, instances: [] }));
  const traffic = { ...TRAFFIC, hosts: [], paths: ["/"], ...(by === undefined ? {} : { affinity: by }) };
  return { service, backends, traffic };
}

const RELEASES = { blue: "v1", green: "v2" };

function sideOf(key: string, weights: Weights, of = table({ cookie: "s" }, RELEASES)): string | null {
  const seed = affinityOf(of, weights)?.seed ?? Number.NaN;
  return chooseEnvironment(sharesOf(weights), pointOf(key, seed));
}

describe("clients while the new side grows", () => {
  const percent = fc.integer({ min: 0, max: 100 });

  test("nobody moves from green to blue, and everybody is on green in the end", () => {
    const growing = fc.array(percent, { minLength: 2, maxLength: 8 }).map((list) => list.toSorted((a, b) => a - b));
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), growing, (key, weights) => {
        const sides = [...weights, 100].map((green) => sideOf(key, { blue: 100 - green, green }));
        const first = sides.indexOf("green");
        expect(sides.slice(first).every((side) => side === "green")).toBe(true);
      }),
    );
  });

  test("a revert brings back those who had moved, and each to where it was at that weight", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), percent, percent, (key, a, b) => {
        const there = sideOf(key, { blue: 100 - a, green: a });
        expect(sideOf(key, { blue: 100, green: 0 })).toBe("blue");
        sideOf(key, { blue: 100 - b, green: b });
        expect(sideOf(key, { green: a, blue: 100 - a })).toBe(there);
      }),
    );
  });

  test.each([1, 10, 50, 99])("green has %i %% of the clients, within five standard deviations", (green) => {
    const clients = 20_000;
    let there = 0;
    for (let n = 0; n < clients; n += 1)
      if (sideOf(`client ${String(n)}`, { blue: 100 - green, green }) === "green") there += 1;
    const share = green / 100;
    expect(Math.abs(there - clients * share)).toBeLessThan(5 * Math.sqrt(clients * share * (1 - share)));
  });
});

describe("the seed", () => {
  const seed = (releases: Readonly<Record<string, string>>, weights: Weights, service?: string) =>
    affinityOf(table("clientAddress", releases, service), weights)?.seed;
  const base = seed(RELEASES, { blue: 90, green: 10 });

  test("is the same for every split of the same releases, in whatever order, and beside a third that has no traffic", () => {
    expect(seed(RELEASES, { blue: 1, green: 99 })).toBe(base);
    expect(seed({ green: "v2", blue: "v1" }, { green: 50, blue: 50 })).toBe(base);
    expect(seed({ ...RELEASES, red: "v0" }, { blue: 50, green: 50, red: 0 })).toBe(base);
  });

  test("is another one for the next release, and for another service", () => {
    expect(seed({ blue: "v3", green: "v2" }, { blue: 10, green: 90 })).not.toBe(base);
    expect(seed(RELEASES, { blue: 90, green: 10 }, "api")).not.toBe(base);
  });

  test("there is none without affinity", () => {
    expect(affinityOf(table(undefined, RELEASES), { blue: 100 })).toBeNull();
  });
});

describe("the key of a request", () => {
  const facts = (fields: Readonly<Record<string, string>>, client?: string) => ({
    field: (name: string) => fields[name],
    client: () => client,
  });

  test.each([
    ["s=a", "a"],
    ["x=1; s=a; s=b", "a"],
    ["xs=1;s = a=b ", "a=b"],
    ['s="q"', '"q"'],
    ["S=a", null],
    ["s=", null],
    ["s", null],
    ["=s; ;;", null],
  ])("by cookie: %j is %j", (cookie, key) => {
    expect(affinityKey({ cookie: "s" }, facts({ cookie }))).toBe(key);
  });

  test("by header, by address, and none", () => {
    expect(affinityKey({ header: "x-user" }, facts({ "x-user": "ada" }))).toBe("ada");
    expect(affinityKey({ header: "x-user" }, facts({}))).toBeNull();
    expect(affinityKey({ header: "x-user" }, {})).toBeNull();
    expect(affinityKey("clientAddress", facts({}, "192.0.2.1"))).toBe("192.0.2.1");
    expect(affinityKey("clientAddress", {})).toBeNull();
  });
});
