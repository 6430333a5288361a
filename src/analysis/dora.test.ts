import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Change, ChangeLog } from "../model/dora.ts";
import { dora } from "./dora.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = 1_800_000_000_000;

let serial = 0;
function change(over: Partial<Change> = {}): Change {
  serial += 1;
  return {
    deployment: `dep_${String(serial)}`,
    goal: "deploy",
    state: "completed",
    release: `v${String(serial)}`,
    touchedTraffic: true,
    endedAt: NOW - HOUR,
    committedAt: null,
    trafficAt: null,
    backAt: null,
    ...over,
  };
}

const log = (changes: readonly Change[], over: Partial<ChangeLog> = {}): ChangeLog => ({
  begunAt: NOW - 60 * DAY,
  before: null,
  changes,
  truncated: false,
  ...over,
});

describe("the four of DORA", () => {
  test("nothing was ever deployed: nothing to say", () => {
    expect(dora(log([], { begunAt: null }), NOW)).toBeNull();
  });

  test("counts completed deploys of a new release, per day of the window", () => {
    const found = dora(log([change(), change(), change({ state: "failed", touchedTraffic: false })]), NOW);
    expect(found).toMatchObject({ deployments: 2, observedDays: 30, deploymentsPerDay: 0.067, changes: 2 });
  });

  test("with a shorter history by the days since the first deployment, with less than one there is no rate", () => {
    const changes = [change(), change(), change()];
    expect(dora(log(changes, { begunAt: NOW - 2 * DAY }), NOW)).toMatchObject({
      observedDays: 2,
      deploymentsPerDay: 1.5,
    });
    expect(dora(log(changes, { begunAt: NOW - HOUR }), NOW)).toMatchObject({ deployments: 3, deploymentsPerDay: null });
    const since = log([change({ endedAt: NOW - 3 * DAY }), change(), change()], { truncated: true });
    expect(dora(since, NOW)).toMatchObject({ observedDays: 3, deploymentsPerDay: 1 });
  });

  test("the same release again is no change, and counts neither as a deploy nor as a failure", () => {
    const again = change({ release: "v1", state: "rolled-back" });
    expect(dora(log([change({ release: "v1" }), again], { before: "v1" }), NOW)).toMatchObject({
      deployments: 0,
      changes: 0,
      changeFailureRate: null,
    });
  });

  test("lead time is from the commit to the end, once for each release, without those of no commit", () => {
    const found = dora(
      log([
        change({ release: "v1", committedAt: NOW - 3 * HOUR }),
        change({ release: "v2", committedAt: NOW - 5 * HOUR }),
        change({ release: "v1", committedAt: NOW - 3 * HOUR }),
        change({ release: "dir" }),
        change({ release: "v3", committedAt: NOW - 9 * HOUR, state: "rolled-back" }),
      ]),
      NOW,
    );
    expect(found?.leadTimeSeconds).toBe(3 * 3_600);
    expect(dora(log([change({ committedAt: NOW })]), NOW)?.leadTimeSeconds).toBe(0);
  });

  test("a deploy that was taken back failed, and its traffic was back when that is recorded", () => {
    const failed = change({ state: "rolled-back", trafficAt: NOW - 60_000, backAt: NOW - 20_000 });
    const aborted = change({ state: "aborted", trafficAt: NOW - 9_000, backAt: NOW - 8_000 });
    const early = change({ state: "aborted", touchedTraffic: false });
    const old = change({ state: "rolled-back" });
    expect(dora(log([change(), failed, aborted, early, old]), NOW)).toMatchObject({
      changes: 4,
      failures: 3,
      changeFailureRate: 0.75,
      timeToRestoreSeconds: 20.5,
    });
  });

  test("a deploy that the next change rolls back failed; a rollback that failed changes nothing", () => {
    const first = change({ release: "v2", trafficAt: NOW - 600_000 });
    const back = change({ goal: "rollback", release: "v1", trafficAt: NOW - 300_000 });
    expect(dora(log([first, back], { before: "v1" }), NOW)).toMatchObject({
      deployments: 1,
      failures: 1,
      timeToRestoreSeconds: 300,
    });
    expect(dora(log([first, { ...back, state: "failed" }], { before: "v1" }), NOW)?.failures).toBe(0);
    const between = change({ release: "v3", state: "rolled-back" });
    expect(dora(log([first, between, back], { before: "v1" }), NOW)?.failures).toBe(2);
    expect(dora(log([first, { ...back, goal: "switch" }], { before: "v1" }), NOW)?.failures).toBe(0);
  });
});

const someChange = fc.record({
  goal: fc.constantFrom("deploy", "switch", "rollback"),
  state: fc.constantFrom("completed", "rolled-back", "aborted", "failed"),
  release: fc.constantFrom("v1", "v2", "v3", null),
  touchedTraffic: fc.boolean(),
  tookMs: fc.integer({ min: 0, max: DAY }),
  leadMs: fc.option(fc.integer({ min: -HOUR, max: 40 * DAY })),
  trafficMs: fc.option(fc.integer({ min: 0, max: HOUR })),
  backMs: fc.option(fc.integer({ min: 0, max: HOUR })),
});

const someLog = fc
  .record({
    rows: fc.array(someChange, { maxLength: 30 }),
    before: fc.constantFrom("v1", null),
    ageMs: fc.integer({ min: 0, max: 60 * DAY }),
    truncated: fc.boolean(),
  })
  .map(({ rows, before, ageMs, truncated }): ChangeLog => {
    let at = NOW - 29 * DAY;
    const changes = rows.map(({ tookMs, leadMs, trafficMs, backMs, ...row }) => {
      at = Math.min(NOW, at + tookMs);
      const trafficAt = trafficMs === null ? null : at - trafficMs;
      return change({
        ...row,
        endedAt: at,
        committedAt: leadMs === null ? null : at - leadMs,
        trafficAt,
        backAt: backMs === null || trafficAt === null ? null : trafficAt + backMs,
      });
    });
    return { begunAt: NOW - ageMs, before, changes, truncated };
  });

describe("whatever the history", () => {
  test("counts are whole and in bounds, and no number is negative or without an end", () => {
    fc.assert(
      fc.property(someLog, (given) => {
        const found = dora(given, NOW);
        if (found === null) throw new Error("there was a first deployment");
        const completed = given.changes.filter(({ goal, state }) => goal === "deploy" && state === "completed");
        expect(found.deployments).toBeLessThanOrEqual(completed.length);
        expect(found.failures).toBeLessThanOrEqual(found.changes);
        expect(found.changes).toBeLessThanOrEqual(given.changes.length);
        expect(found.observedDays).toBeLessThanOrEqual(found.windowDays);
        expect((found.changeFailureRate ?? 0) <= 1).toBe(true);
        for (const value of Object.values(found))
          expect(value === null || (Number.isFinite(value) && value >= 0)).toBe(true);
      }),
    );
  });

  test("it is about times between things, not about when they were", () => {
    const moved = (at: number | null, by: number): number | null => (at === null ? null : at + by);
    fc.assert(
      fc.property(someLog, fc.integer({ min: -NOW / 2, max: NOW }), (given, by) => {
        const changes = given.changes.map((one) => ({
          ...one,
          endedAt: one.endedAt + by,
          committedAt: moved(one.committedAt, by),
          trafficAt: moved(one.trafficAt, by),
          backAt: moved(one.backAt, by),
        }));
        expect(dora({ ...given, begunAt: moved(given.begunAt, by), changes }, NOW + by)).toEqual(dora(given, NOW));
      }),
    );
  });

  test("one more good deploy of a new release makes one deploy more and no failure more; one more bad one, a failure", () => {
    fc.assert(
      fc.property(someLog, (given) => {
        const before = dora(given, NOW);
        const good = dora({ ...given, changes: [...given.changes, change({ endedAt: NOW })] }, NOW);
        expect(good?.deployments).toBe((before?.deployments ?? 0) + 1);
        expect(good?.failures).toBe(before?.failures);
        const bad = change({ endedAt: NOW, state: "rolled-back" });
        const worse = dora({ ...given, changes: [...given.changes, bad] }, NOW);
        expect(worse?.deployments).toBe(before?.deployments);
        expect(worse?.failures).toBe((before?.failures ?? 0) + 1);
      }),
    );
  });
});
