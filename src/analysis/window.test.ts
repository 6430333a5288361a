import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TrafficCounters, TrafficSample } from "../model/traffic.ts";
import { NO_TRAFFIC, plus } from "./counters.ts";
import { CounterWindow } from "./window.ts";

const counters = (requests: number, failures = 0): TrafficCounters => ({
  ...NO_TRAFFIC,
  requests,
  failures,
  inFlight: requests % 7,
});
const sample = (epoch: string, environments: Record<string, TrafficCounters>): TrafficSample => ({
  service: "web",
  epoch,
  at: 0,
  environments,
});

describe("a window of counters", () => {
  it("begins at its first reading and counts what comes after", () => {
    const begun = CounterWindow.empty.add(sample("a", { blue: counters(1_000, 10) }));
    expect(CounterWindow.empty.hasBegun).toBe(false);
    expect(begun.hasBegun).toBe(true);
    expect(begun.of("blue")).toMatchObject({ requests: 0, failures: 0 });
    const later = begun.add(sample("a", { blue: counters(1_100, 12), green: counters(5, 1) }));
    expect(later.of("blue")).toMatchObject({ requests: 100, failures: 2 });
    expect(later.of("green")).toMatchObject({ requests: 5, failures: 1 });
    expect(later.of("nobody")).toEqual(NO_TRAFFIC);
  });

  it("keeps what it counted when the data plane is started anew, and counts the new epoch from zero", () => {
    const window = [
      sample("a", { blue: counters(100) }),
      sample("a", { blue: counters(150) }),
      sample("b", { blue: counters(30) }),
      sample("b", { blue: counters(45) }),
    ].reduce((window, next) => window.add(next), CounterWindow.empty);
    expect(window.of("blue").requests).toBe(50 + 45);
  });

  it("of a data plane that began while nobody watched counts what comes after it is first heard of", () => {
    const told = (epoch: string, since: number, requests: number): TrafficSample => ({
      ...sample(epoch, { blue: counters(requests) }),
      since,
    });
    const before = CounterWindow.empty.add(told("a", 0, 100)).add(told("a", 0, 110));
    const again = before.goingOnAt(50);
    const all = [told("a", 0, 115), told("b", 40, 30), told("b", 40, 33), told("c", 60, 2)];
    expect(all.reduce((window, next) => window.add(next), before).of("blue").requests).toBe(15 + 33 + 2);
    expect(all.reduce((window, next) => window.add(next), again).of("blue").requests).toBe(15 + 3 + 2);
    expect(CounterWindow.empty.goingOnAt(50).hasBegun).toBe(false);
  });

  it("counts nothing twice when a draining process and its successor report in turn", () => {
    const window = [
      ["a", 100],
      ["a", 110],
      ["b", 5],
      ["a", 112],
      ["b", 9],
      ["a", 112],
      ["b", 20],
    ].reduce(
      (window, [epoch, requests]) => window.add(sample(String(epoch), { blue: counters(Number(requests)) })),
      CounterWindow.empty,
    );
    expect(window.of("blue").requests).toBe(12 + 20);
  });

  it("stays as small as it is, and survives a crash as JSON", () => {
    let window = CounterWindow.empty;
    for (let i = 0; i < 1_000; i++) {
      window = CounterWindow.fromJSON(
        JSON.parse(
          JSON.stringify(window.add(sample(`epoch-${String(i >> 6)}`, { blue: counters(i), green: counters(i) }))),
        ),
      );
    }
    expect(JSON.stringify(window).length).toBeLessThan(6_000);
    expect(() => CounterWindow.fromJSON({ format: 2 })).toThrow("cannot be read");
    expect(() => CounterWindow.fromJSON({ format: 1, epochs: [{}], total: {} })).toThrow("cannot be read");
  });

  it("counts an epoch that lived before the window began, and is heard of late, from its first reading", () => {
    const window = [
      { ...sample("draining", { blue: counters(100) }), since: 10, at: 1_000 },
      { ...sample("serving", { blue: counters(900) }), since: 900, at: 1_001 },
      { ...sample("serving", { blue: counters(907) }), since: 900, at: 1_100 },
      { ...sample("next", { blue: counters(5) }), since: 1_500, at: 1_600 },
      { ...sample("draining", { blue: counters(103) }), since: 10, at: 1_700 },
    ].reduce((window, next) => CounterWindow.fromJSON(window.add(next).toJSON()), CounterWindow.empty);
    expect(window.of("blue").requests).toBe(7 + 5 + 3);
  });

  it("property: however often and in whatever order one epoch is read, the window is newest minus first", () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.array(fc.nat(100), { minLength: 1 }), fc.integer(), (first, steps, seed) => {
        const readings: number[] = [];
        let total = first;
        for (const step of steps) readings.push((total += step));
        const shuffled = readings.toSorted((a, b) => ((a * 7 + seed) % 13) - ((b * 7 + seed) % 13));
        const window = [first, ...shuffled].reduce(
          (window, requests) => window.add(sample("a", { blue: counters(requests) })),
          CounterWindow.empty,
        );
        expect(window.of("blue").requests).toBe(total - first);
        expect(plus(window.of("blue"), NO_TRAFFIC).requests).toBe(total - first);
      }),
    );
  });
});
