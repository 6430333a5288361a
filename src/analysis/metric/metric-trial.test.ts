import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MetricGuardrail, MetricReading } from "../../model/metric.ts";
import { isWithin } from "../sources.ts";
import { seeded } from "../testing.ts";
import { MetricTrial } from "./metric-trial.ts";
import { metricVerdict } from "./metric-verdict.ts";
import type { MetricRule } from "./rule.ts";

const SUBJECTS = { candidate: "green", baseline: "blue" };
const gauge: MetricGuardrail = {
  source: { driver: "memory", settings: {}, perEnvironment: true },
  counting: "gauge",
  direction: "above",
  percent: false,
  everyMs: 1_000,
  timeoutMs: 1_000,
  readings: 3,
};
const ruleOf = (over: Partial<MetricGuardrail>): MetricRule => ({
  name: "custom.lag",
  guardrail: { ...gauge, ...over },
  alpha: 0.0005,
});
const value = (at: number, of: number): MetricReading => ({ kind: "value", value: of, at });
const counts = (at: number, bad: number, total: number | null, who = "a"): MetricReading => ({
  kind: "counts",
  counts: { [who]: { bad, total } },
  at,
});
const NONE: MetricReading = { kind: "none", code: "unreachable", reason: "it is down" };

/** What is said after these readings, of the new environment and of the active one. */
function after(rule: MetricRule, ours: readonly MetricReading[], theirs: readonly (MetricReading | null)[] = []) {
  const trial = ours.reduce((sum, reading, i) => sum.add(reading, theirs[i] ?? null), MetricTrial.begin(rule));
  return metricVerdict(trial, SUBJECTS);
}

describe("a gauge", () => {
  const rule = ruleOf({ warn: { value: 10 }, hold: { value: 20 }, rollBack: { value: 30 } });

  it("breaches a limit by readings in a row, and no fewer", () => {
    expect(after(rule, [value(1, 40), value(2, 40)]).outcome).toBe("not-enough-evidence");
    expect(after(rule, [value(1, 40), value(2, 5), value(3, 40), value(4, 40)]).outcome).toBe("not-enough-evidence");
    expect(after(rule, [value(1, 40), value(2, 35), value(3, 31)])).toMatchObject({
      outcome: "rollBack",
      message: "custom.lag of green is 31; the limit is 30; 3 readings in a row",
    });
    expect(after(rule, [value(1, 40), value(2, 25), value(3, 21)]).outcome).toBe("hold");
    expect(after(rule, [value(1, 40), value(2, 25), value(3, 21), value(4, 9)]).outcome).toBe("not-enough-evidence");
    expect(after(rule, [value(1, 9), value(2, 10), value(3, 0)]).outcome).toBe("within");
  });

  it("counts a reading once, however often the source repeats it", () => {
    expect(after(rule, [value(1, 40), value(1, 40), value(1, 40), value(2, 40)]).outcome).toBe("not-enough-evidence");
  });

  describe("of which the active environment is beyond the limit as well", () => {
    const bad = [value(1, 40), value(2, 40), value(3, 40)];
    const later = (...numbers: number[]) => numbers.map((of, i) => value(4 + i, of));
    const both = (ours: readonly MetricReading[], theirs: readonly MetricReading[]) =>
      after(rule, [...bad, ...ours], [...bad, ...theirs]);

    it("holds, as the cause is common", () => {
      expect(both([], [])).toMatchObject({
        outcome: "hold",
        breached: "rollBack",
        message: expect.stringContaining("just now blue is beyond the same limit, so the cause is common") as string,
      });
    });

    it("holds on when that ends, and goes back by a full row of readings of its own", () => {
      for (const good of [later(1), later(1, 1)]) {
        const held = both(later(40, 40).slice(0, good.length), good);
        expect(held).toMatchObject({
          outcome: "hold",
          breached: "rollBack",
          message: expect.stringContaining("a common cause has just ended: 3 readings in a row from there") as string,
        });
      }
      expect(both(later(40, 40, 40), later(1, 1, 1))).toMatchObject({
        outcome: "rollBack",
        message: "custom.lag of green is 40, of blue 1; the limit is 30; 3 readings in a row",
      });
    });

    it("goes on when both are well again, though one by one", () => {
      expect(both(later(40, 5, 5, 5), later(1, 1, 1, 1)).outcome).toBe("within");
      expect(both(later(40, 5, 40, 40), later(1, 1, 1, 1)).outcome).toBe("not-enough-evidence");
    });

    it("does not go back while that comes and goes", () => {
      const [ours, theirs] = [
        Array.from({ length: 30 }, () => 40),
        Array.from({ length: 30 }, (_, i) => [1, 1, 40][i % 3] ?? 1),
      ];
      for (let n = 1; n <= 30; n += 1)
        expect(both(later(...ours.slice(0, n)), later(...theirs.slice(0, n))).outcome).toBe("hold");
    });

    it("keeps the rows of its milder limits, as a hold is what a common cause asks for too", () => {
      const mild = ruleOf({ hold: { value: 30 }, rollBack: { value: 35 } });
      const seen = (ours: number, theirs: number) => after(mild, [...bad, ...later(ours)], [...bad, ...later(theirs)]);
      expect(seen(32, 1)).toMatchObject({ outcome: "hold", breached: "hold" });
    });

    it("is not taken back by what an older version has kept of it", () => {
      const state = MetricTrial.begin(rule).toJSON();
      const { shared: _, ...old } = { ...state, beyond: { rollBack: 9 }, within: 0, common: true };
      const trial = MetricTrial.fromJSON(rule, JSON.parse(JSON.stringify(old)));
      expect(metricVerdict(trial.add(value(10, 40), value(10, 1)), SUBJECTS).outcome).toBe("hold");
      const apart = MetricTrial.fromJSON(rule, { ...old, beyond: { rollBack: 2 }, common: false });
      expect(metricVerdict(apart.add(value(10, 40), value(10, 1)), SUBJECTS).outcome).toBe("rollBack");
    });
  });

  it("knows when less is bad", () => {
    const fewer = ruleOf({ direction: "below", rollBack: { value: 2 }, warn: { value: 5 } });
    expect(after(fewer, [value(1, 1), value(2, 0), value(3, 1.9)]).outcome).toBe("rollBack");
    expect(after(fewer, [value(1, 4), value(2, 3), value(3, 2)]).outcome).toBe("warn");
    expect(after(fewer, [value(1, 9), value(2, 9), value(3, 5)]).outcome).toBe("within");
  });

  it("compares with the active environment, and says so when there is nothing to compare with", () => {
    const relative = ruleOf({ rollBack: { factor: 2 } });
    const slow = [value(1, 21), value(2, 21), value(3, 21)];
    expect(after(relative, slow, [value(1, 10), value(2, 10), value(3, 10)])).toMatchObject({
      outcome: "rollBack",
      message: "custom.lag of green is 21, of blue 10; the limit is 20; 3 readings in a row",
    });
    expect(after(relative, slow, [value(1, 11), value(2, 11), value(3, 11)]).outcome).toBe("within");
    expect(after(relative, slow)).toMatchObject({ outcome: "not-enough-evidence", lacking: "baseline" });
    expect(after(relative, slow, [value(1, 0), value(2, 0), value(3, 0)])).toMatchObject({ lacking: "baseline" });
  });

  describe("beyond a multiple of the active environment's", () => {
    const relative = ruleOf({ hold: { factor: 2 } });
    const times = <T>(n: number, of: T) => Array.from({ length: n }, () => of);
    const slow = (n: number) => Array.from({ length: n }, (_, i) => value(i, 21));
    const others = (...said: readonly (number | null)[]) => said.map((of, i) => (of === null ? NONE : value(i, of)));
    const seen = (...theirs: readonly (number | null)[]) => after(relative, slow(theirs.length), others(...theirs));

    it("holds on through readings without anything to compare with, and no longer than a row of them", () => {
      expect(seen(10, 10, 10)).toMatchObject({ outcome: "hold", limit: 20 });
      expect(seen(10, 10, 10, null, null)).toMatchObject({
        outcome: "hold",
        message:
          "custom.lag of green is 21; 3 readings in a row; just now blue says nothing to compare with: it is down",
      });
      expect(seen(10, 10, 10, null, null, null)).toMatchObject({
        outcome: "not-enough-evidence",
        lacking: "baseline",
        message:
          "not enough evidence: custom.lag: custom.lag of green is 21, but blue says nothing to compare with: it is down",
      });
      expect(seen(10, 10, 10, 0, 0, 0)).toMatchObject({
        outcome: "not-enough-evidence",
        lacking: "baseline",
        message: expect.stringContaining("of blue 0, but a multiple of that is no limit") as string,
      });
    });

    it("holds again by a full row of readings alone", () => {
      const gone = [10, 10, 10, null, null, null] as const;
      expect(seen(...gone, 10, 10).outcome).toBe("not-enough-evidence");
      expect(seen(...gone, 10, 10, 10).outcome).toBe("hold");
      expect(seen(10, 10, 10, null, null, 10).outcome).toBe("hold");
    });

    it("ends at once where nobody is asked any more, as in a bake", () => {
      expect(after(relative, slow(4), others(10, 10, 10))).toMatchObject({
        lacking: "baseline",
        message: expect.stringContaining("but there is nothing to compare with") as string,
      });
    });

    it("is not left out of what a step waits for by a single silence", () => {
      expect(after(relative, [value(0, 5)], [NONE])).toMatchObject({ lacking: "candidate" });
      expect(
        after(
          relative,
          times(3, 0).map((_, i) => value(i, 5)),
          times(3, NONE),
        ),
      ).toMatchObject({ lacking: "baseline" });
    });

    it("says so beside a limit that is kept, and judges that", () => {
      const mixed = ruleOf({ warn: { value: 20 }, hold: { factor: 2 } });
      const five = [value(0, 5), value(1, 5), value(2, 5)];
      expect(after(mixed, five, others(null, null, null))).toMatchObject({
        outcome: "not-enough-evidence",
        lacking: "baseline",
      });
      expect(after(mixed, five, others(3, 3, 3)).outcome).toBe("within");
      expect(after(mixed, slow(3), others(null, null, null)).outcome).toBe("warn");
    });
  });

  it("says why a source that is silent, of another kind or in the past is no evidence", () => {
    const reason = (...readings: MetricReading[]) => after(rule, readings).message;
    expect(reason(value(1, 5), NONE)).toBe("not enough evidence: custom.lag: it is down");
    expect(reason(counts(1, 1, 1))).toContain("gives counters, not a number");
    expect(reason(value(5, 40), value(3, 40))).toContain("the clock of the source went backwards");
    expect(after(rule, [value(5, 40), value(3, 40), value(4, 40), value(6, 40)]).outcome).toBe("rollBack");
    expect(after(rule, [value(1, Number.NaN)]).message).toContain("gives no number");
  });

  const reading = fc.integer({ min: 0, max: 60 });
  it("is the same with and without silence between the readings", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(reading, fc.constantFrom(null, Number.NaN)), { maxLength: 40 }), (said) => {
        const all = said.map((of, at) => (of === null ? NONE : value(at, of)));
        const heard = all.filter((one) => one.kind === "value" && !Number.isNaN(one.value));
        const last = value(100, 5);
        expect(after(rule, [...all, last])).toEqual(after(rule, [...heard, last]));
      }),
    );
  });

  it("is never milder for higher readings", () => {
    const order = ["within", "not-enough-evidence", "warn", "hold", "rollBack"];
    fc.assert(
      fc.property(fc.array(fc.tuple(reading, reading), { maxLength: 20 }), (pairs) => {
        const low = after(
          rule,
          pairs.map(([a, b], at) => value(at, Math.min(a, b))),
        );
        const high = after(
          rule,
          pairs.map(([a, b], at) => value(at, Math.max(a, b))),
        );
        expect(order.indexOf(high.outcome)).toBeGreaterThanOrEqual(order.indexOf(low.outcome));
      }),
    );
  });
});

describe("a step that waits for evidence", () => {
  const always = (rule: MetricRule, of: number) =>
    after(
      rule,
      Array.from({ length: 5 }, (_, i) => value(i, of)),
      Array.from({ length: 5 }, (_, i) => value(i, of)),
    );

  it("is not hindered by a warning, but by a limit that takes back or holds", () => {
    const limits = ruleOf({ warn: { value: 10 }, rollBack: { value: 30 } });
    expect(always(limits, 15)).toMatchObject({ outcome: "warn", proof: "shown" });
    expect(isWithin([always(limits, 15)])).toBe(true);
    expect(isWithin([after(limits, [value(1, 15), value(2, 15)])])).toBe(false);
    expect(isWithin([always(ruleOf({ warn: { value: 10 }, hold: { value: 12 } }), 15)])).toBe(false);
    expect(isWithin([always(ruleOf({ warn: { value: 10 } }), 15)])).toBe(true);
    expect(isWithin([after(ruleOf({ warn: { value: 10 } }), [NONE])])).toBe(true);
    expect(isWithin([after(limits, [NONE])])).toBe(false);
  });

  it("does not wait for a share to be shown to be below what only warns", () => {
    const limits = ruleOf({ counting: "share", percent: true, warn: { value: 0.001 }, rollBack: { value: 0.01 } });
    const seen = (n: number) => after(limits, [counts(1, 0, 0), counts(2, 0, n)]);
    expect(seen(200).outcome).toBe("not-enough-evidence");
    expect(isWithin([seen(200)])).toBe(false);
    expect(seen(400).outcome).toBe("within");
  });
});

describe("counters", () => {
  const share = ruleOf({ counting: "share", percent: true, warn: { value: 0.001 }, rollBack: { value: 0.01 } });

  it("convict a share that is plainly too high, and clear one that is plainly within", () => {
    expect(after(share, [counts(1, 100, 1_000), counts(2, 120, 1_100)])).toMatchObject({
      outcome: "rollBack",
      requests: 100,
      message:
        "custom.lag of green is 20 % (20 of 100); the limit is 1 %; the odds that this is chance: below 1 in 2,000",
    });
    expect(after(share, [counts(1, 0, 0), counts(2, 0, 20_000)]).outcome).toBe("within");
  });

  it("judge nothing that was counted before the first reading, nor before somebody began anew", () => {
    expect(after(share, [counts(1, 500, 600)]).outcome).toBe("not-enough-evidence");
    expect(after(share, [counts(1, 500, 600), counts(2, 90, 100), counts(3, 90, 200)]).requests).toBe(100);
    expect(after(share, [counts(1, 0, 100), counts(2, 300, 400, "b"), counts(3, 300, 500, "b")]).requests).toBe(100);
  });

  it("hold when both environments exceed the share", () => {
    const bad = Array.from({ length: 5 }, (_, i) => counts(i, i * 50, i * 100));
    expect(after(share, bad, bad)).toMatchObject({ outcome: "hold", breached: "rollBack" });
  });

  describe("while the active environment is silent", () => {
    const growing = (n: number, bad: number) => Array.from({ length: n }, (_, i) => counts(i, i * bad, i * 100));
    const silent = Array.from({ length: 20 }, () => NONE);

    it("keep a common cause in mind for four readings, and are then judged by their own limit again", () => {
      const ours = growing(12, 50);
      const theirs = [...ours.slice(0, 4), ...silent];
      expect(after(share, ours.slice(0, 7), theirs)).toMatchObject({ outcome: "hold", breached: "rollBack" });
      expect(after(share, ours, theirs)).toMatchObject({ outcome: "rollBack" });
    });

    it("are judged by their own limit, as silence shows no common cause", () => {
      expect(after(share, growing(5, 50), silent).outcome).toBe("rollBack");
      expect(after(share, growing(5, 0), silent).outcome).not.toBe("rollBack");
    });

    const relative = ruleOf({ counting: "share", percent: true, rollBack: { factor: 2 } });
    /** All of it fails in readings 6 to 15; the active one is not heard meanwhile. */
    const outage = (i: number) => Math.max(0, Math.min(10, i - 5)) * 100;
    const ours = Array.from({ length: 30 }, (_, i) => counts(i, outage(i), i * 100));
    const unheard = (at: (i: number) => MetricReading) => ours.map((_, i) => (i > 5 && i < 16 ? NONE : at(i)));

    it("are compared over the same time once it speaks again", () => {
      const same = unheard((i) => counts(i, outage(i), i * 100));
      expect(after(relative, ours, same).outcome).not.toBe("rollBack");
      const well = unheard((i) => counts(i, 0, i * 100));
      expect(after(relative, ours, well).outcome).toBe("rollBack");
    });

    it("are not compared over a time that is lost, as when it was started again", () => {
      const anew = unheard((i) => (i < 6 ? counts(i, 0, i * 100) : counts(i, 0, (i - 15) * 100)));
      expect(after(relative, ours, anew).outcome).not.toBe("rollBack");
      const late = ours.map((_, i) => (i < 16 ? NONE : counts(i, 0, i * 100)));
      expect(after(relative, ours, late).outcome).not.toBe("rollBack");
    });

    it("are not compared over a time of which their own part is lost", () => {
      // Both fail all of it in reading 6. The new environment begins anew at 5, the active one is heard at 3 and 6.
      const mine = Array.from({ length: 12 }, (_, i) => counts(i, i > 5 ? 100 : 0, (i < 5 ? i : i - 4) * 100));
      const theirs = mine.map((_, i) => (i === 4 || i === 5 ? NONE : counts(i, i > 5 ? 100 : 0, i * 100)));
      expect(after(relative, mine, theirs).outcome).not.toBe("rollBack");
    });
  });

  it("compare two shares", () => {
    const relative = ruleOf({ counting: "share", percent: true, rollBack: { factor: 2 } });
    const of = (bad: number) => Array.from({ length: 30 }, (_, i) => counts(i, Math.floor(i * bad), i * 100));
    expect(after(relative, of(30), of(1)).outcome).toBe("rollBack");
    expect(after(relative, of(30), of(20)).outcome).not.toBe("rollBack");
    expect(after(relative, of(30)).lacking).toBe("baseline");
  });

  describe("beyond twice the active environment's share", () => {
    const relative = ruleOf({ counting: "share", percent: true, hold: { factor: 2 } });
    const of = (bad: (i: number) => number, n = 40) => Array.from({ length: n }, (_, i) => counts(i, bad(i), i * 100));
    const well = of(() => 0);
    const turned = (i: number) => Math.min(i, 10) * 30;

    it("hold, until they are within it again", () => {
      expect(after(relative, of(turned, 11), well)).toMatchObject({ outcome: "hold", breached: "hold", limit: 0.01 });
      expect(
        after(
          relative,
          of(turned, 400),
          of(() => 0, 400),
        ).outcome,
      ).not.toBe("hold");
    });

    it("hold through a short silence of the active environment, and no longer", () => {
      const heard = (n: number) => [...well.slice(0, 11), ...Array.from({ length: n }, () => NONE)];
      expect(after(relative, of(turned, 13), heard(2)).outcome).toBe("hold");
      expect(after(relative, of(turned, 14), heard(3))).toMatchObject({
        outcome: "not-enough-evidence",
        lacking: "baseline",
        message: expect.stringContaining("but blue says nothing to compare with: it is down") as string,
      });
      expect(after(relative, of(turned, 15), [...heard(3), counts(14, 0, 1_400)]).outcome).toBe("hold");
    });
  });

  it("convict hardly ever by chance: fewer than alpha of releases at the very limit, however often they are read", () => {
    const random = seeded(7);
    const rule = { ...share, alpha: 0.05, guardrail: { ...share.guardrail, rollBack: { value: 0.05 } } };
    let alarms = 0;
    for (let run = 0; run < 200; run += 1) {
      let [bad, total] = [0, 0];
      let trial = MetricTrial.begin(rule);
      for (let at = 0; at < 60; at += 1) {
        for (let n = 0; n < 20; n += 1) if (random() < 0.05) bad += 1;
        total += 20;
        trial = trial.add(counts(at, bad, total), null);
      }
      if (metricVerdict(trial, SUBJECTS).outcome === "rollBack") alarms += 1;
    }
    expect(alarms).toBeLessThanOrEqual(20);
  });

  it("without a total, are what they grow by in a minute", () => {
    const perMinute = ruleOf({ counting: "perMinute", rollBack: { value: 30 } });
    const growing = [0, 1, 2, 3].map((i) => counts(i * 10_000, i * 10, null));
    expect(after(perMinute, growing)).toMatchObject({
      outcome: "rollBack",
      observed: 60,
      message: "custom.lag of green is 60 a minute; the limit is 30 a minute; 3 readings in a row",
    });
    expect(after(perMinute, growing.slice(0, 3)).outcome).toBe("not-enough-evidence");
  });
});

it("what is kept of it goes on as if nothing had happened, and a later version reads what this one wrote", () => {
  const rule = ruleOf({ rollBack: { value: 30 } });
  const two = [value(1, 40), value(2, 40)].reduce((sum, one) => sum.add(one, null), MetricTrial.begin(rule));
  const restored = MetricTrial.fromJSON(rule, JSON.parse(JSON.stringify(two)) as unknown);
  expect(metricVerdict(restored.add(value(3, 40), null), SUBJECTS).outcome).toBe("rollBack");
  const side = { at: 2, value: 40, counts: {}, sum: { requests: 0, failures: 0 }, recent: [], silent: null };
  const nobody = { ...side, at: null, value: null };
  const written = { format: 1, candidate: side, baseline: nobody, beyond: { rollBack: 2 }, within: 0, tests: {} };
  expect(two.toJSON()).toEqual({ ...written, active: null, common: false, shared: 0 });
  expect(() => MetricTrial.fromJSON(rule, { format: 2 })).toThrow("cannot be read");
});
