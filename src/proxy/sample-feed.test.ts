import { describe, expect, it, vi } from "vitest";
import { add, COUNTER, markChanged, SERVICE_CELL, sharedInts, sharedNumbers } from "./cells.ts";
import { SampleFeed, type Sampled } from "./sample-feed.ts";

const service = (name: string, more: Partial<Sampled> = {}): Sampled => {
  const cell = sharedInts(SERVICE_CELL.held + 1);
  markChanged(cell);
  const counters = new Map([
    ["blue", sharedNumbers(2 * COUNTER.length)],
    ["green", sharedNumbers(2 * COUNTER.length)],
  ]);
  return { name, counters, cell, mode: null, switches: 0, isWatched: false, ...more };
};
/** The same, in which something has changed. */
const changed = (one: Sampled, change: Partial<Sampled>): Sampled => {
  markChanged(one.cell);
  return { ...one, ...change };
};
/** As a worker does it. */
const count = ({ cell, counters }: Sampled, environment: string, field: number, by = 1): void => {
  add(counters.get(environment) ?? sharedNumbers(0), field, by);
  markChanged(cell);
};
/** Says how often its counters were read. */
const readings = (quiet: Sampled): (() => number) => {
  let read = 0;
  const values = quiet.counters.values.bind(quiet.counters);
  vi.spyOn(quiet.counters, "values").mockImplementation(() => {
    read += 1;
    return values();
  });
  return () => read;
};
const names = (samples: readonly Sampled[]): string[] => samples.map(({ name }) => name);

describe("which samples are sent", () => {
  it("tells a service when any of its numbers has changed, and then not again", () => {
    const feed = new SampleFeed();
    const [a, b] = [service("a"), service("b")];
    expect(names(feed.next([a, b], 1))).toEqual(["a", "b"]);
    expect(feed.next([a, b], 1)).toEqual([]);
    for (const field of Array.from({ length: COUNTER.latency }, (_, index) => index)) {
      count(b, "green", COUNTER.length + field);
      expect(names(feed.next([a, b], 1))).toEqual(["b"]);
      expect(feed.next([a, b], 1)).toEqual([]);
    }
  });

  it("notices what moves from one number to another", () => {
    const feed = new SampleFeed();
    const a = service("a");
    count(a, "blue", COUNTER.inFlight);
    feed.next([a], 1);
    count(a, "blue", COUNTER.inFlight, -1);
    count(a, "blue", COUNTER.requests);
    expect(names(feed.next([a], 1))).toEqual(["a"]);
  });

  it("reads the counters of a service only where something happened", () => {
    const feed = new SampleFeed();
    const [quiet, busy] = [service("quiet"), service("busy")];
    const read = [readings(quiet), readings(busy)];
    feed.next([quiet, busy], 1);
    for (let tick = 0; tick < 30; tick += 1) {
      count(busy, "blue", COUNTER.requests);
      expect(names(feed.next([quiet, busy], 1))).toEqual(["busy"]);
    }
    // A new one is looked at once more.
    expect(read.map((times) => times())).toEqual([2, 31]);
  });

  it("looks once more after a change, as the next one may find its mark raised and be seen too late", () => {
    const feed = new SampleFeed();
    const a = service("a");
    feed.next([a], 1);
    count(a, "green", COUNTER.requests);
    expect(names(feed.next([a], 1))).toEqual(["a"]);
    // It was marked before that look, and could not be seen in it.
    add(a.counters.get("green") ?? sharedNumbers(0), COUNTER.failures);
    expect(names(feed.next([a], 1))).toEqual(["a"]);
    expect(feed.next([a], 1)).toEqual([]);
  });

  it("tells everything to whoever comes after a time without anybody", () => {
    const feed = new SampleFeed();
    const all = Array.from({ length: 60 }, (_, index) => service(`s${String(index)}`));
    expect(feed.next(all, 1)).toHaveLength(60);
    expect(feed.next(all, 1).length).toBeLessThan(60);
    feed.next(all, 1);
    feed.noListeners();
    expect(feed.next(all, 1)).toHaveLength(60);
  });

  it("tells the silence of a watched one twice a second, and its news at once", () => {
    const feed = new SampleFeed();
    const watched = service("watched", { isWatched: true });
    const ticks = Array.from({ length: 20 }, () => feed.next([watched], 1).length);
    expect(ticks).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    feed.next([watched], 1);
    count(watched, "green", COUNTER.failures);
    expect(names(feed.next([watched], 1))).toEqual(["watched"]);
  });

  it("tells of an environment that is new", () => {
    const feed = new SampleFeed();
    const [before, after] = [service("web", { counters: new Map() }), service("web")];
    feed.next([before], 1);
    expect(feed.next([before], 1)).toEqual([]);
    expect(names(feed.next([after], 1))).toEqual(["web"]);
    expect(feed.next([after], 1)).toEqual([]);
  });

  it("tells a switch once, and everything to a new listener and every 5 s", () => {
    const feed = new SampleFeed();
    const quiet = service("quiet");
    feed.next([quiet], 1);
    expect(feed.next([quiet], 1)).toEqual([]);
    expect(names(feed.next([changed(quiet, { switches: 1 })], 1))).toEqual(["quiet"]);
    expect(names(feed.next([{ ...quiet, switches: 1 }], 2))).toEqual(["quiet"]);
    quiet.cell[SERVICE_CELL.held] = 1;
    markChanged(quiet.cell);
    expect(names(feed.next([{ ...quiet, switches: 1 }], 2))).toEqual(["quiet"]);
    expect(names(feed.next([changed(quiet, { switches: 1, mode: { number: 1 } })], 2))).toEqual(["quiet"]);
    expect(names(feed.next([changed(quiet, { switches: 1 })], 2))).toEqual(["quiet"]);
    expect(feed.next([{ ...quiet, switches: 1 }], 1)).toEqual([]);
    const told = Array.from({ length: 50 }, () => feed.next([quiet], 1).length);
    expect(told.slice(1).filter((count) => count === 1)).toHaveLength(1);
  });

  it("tells hundreds that are watched in turns, and each of them twice a second", () => {
    const feed = new SampleFeed();
    const many = Array.from({ length: 200 }, (_, index) =>
      service(String(index), { counters: new Map(), isWatched: true }),
    );
    feed.next(many, 1);
    const ticks = Array.from({ length: 5 }, () => names(feed.next(many, 1)));
    expect(Math.max(...ticks.map(({ length }) => length))).toBeLessThanOrEqual(44);
    expect(new Set(ticks.flat()).size).toBe(200);
  });

  it("tells thousands of quiet ones in turns, and each of them within 5 s", () => {
    const feed = new SampleFeed();
    const many = Array.from({ length: 2_000 }, (_, index) => service(String(index), { counters: new Map() }));
    expect(feed.next(many, 1)).toHaveLength(2_000);
    const ticks = Array.from({ length: 50 }, () => names(feed.next(many, 1)));
    expect(Math.max(...ticks.map(({ length }) => length))).toBe(40);
    expect(new Set(ticks.flat()).size).toBe(2_000);
  });
});
