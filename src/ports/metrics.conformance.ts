import { afterEach, beforeEach, describe, expect, test, type TestContext } from "vitest";
import type { MetricReading } from "../model/metric.ts";
import type { MetricsDriver, MetricSubject } from "./metrics.ts";

/** What a source may have to say of an environment. */
export type SourceSays = number | "nothing" | "not a number" | "several series" | "garbage";

export interface MetricsHarness {
  readonly driver: MetricsDriver;
  /** Of a question that names the environment. The secret `hush` is in them where the source takes one. */
  readonly settings: Readonly<Record<string, unknown>>;
  subject(environment: string): MetricSubject;
  /** Returns when a reading of the environment finds it. */
  say(environment: string, what: SourceSays): Promise<void>;
  /** From now on it takes questions, and answers none. */
  hang(): Promise<void>;
  /** From now on nobody listens. */
  die(): Promise<void>;
  /** Ends everything that the tests left. */
  close(): Promise<void>;
}

/** Longest wait for what a signal or a dead source ends; far beyond what any driver needs. */
const AT_MOST_MS = 20_000;

/**
 * @param makeHarness may end the test as not runnable on this machine
 * @param gaps what a source can never say, and why
 */
export function metricsConformance(
  name: string,
  makeHarness: (test: TestContext) => Promise<MetricsHarness>,
  gaps: Readonly<Partial<Record<Exclude<SourceSays, number>, string>>> = {},
): void {
  describe(`metrics driver ${name}`, () => {
    let harness: MetricsHarness;
    const never = new AbortController().signal;
    const read = (environment: string, signal = never): Promise<MetricReading> =>
      harness.driver.read({ settings: harness.settings, subject: harness.subject(environment) }, signal);
    const reason = async (environment = "green"): Promise<string> => {
      const reading = await read(environment);
      expect(reading.kind).toBe("none");
      return reading.kind === "none" ? reading.reason : "";
    };

    let close: (() => Promise<void>) | null = null;
    beforeEach(async (context) => {
      harness = await makeHarness(context);
      close = () => harness.close();
    });
    afterEach(async () => {
      await close?.();
      close = null;
    });

    test("reads the number of the environment that it is asked of, and says when it was so", async () => {
      await harness.say("blue", 0.25);
      await harness.say("green", 12);
      expect(await read("green")).toMatchObject({ kind: "value", value: 12, at: expect.any(Number) as number });
      expect(await read("blue")).toMatchObject({ kind: "value", value: 0.25 });
    });

    test("reads what is new", async () => {
      await harness.say("green", 3);
      const before = await read("green");
      await harness.say("green", 4);
      const after = await read("green");
      expect([before, after]).toMatchObject([{ value: 3 }, { value: 4 }]);
      if (before.kind === "value" && after.kind === "value") expect(after.at).toBeGreaterThanOrEqual(before.at);
    });

    const silences = (["nothing", "not a number", "several series", "garbage"] as const).filter(
      (what) => gaps[what] === undefined,
    );
    test.each(silences)(
      "says why there is no evidence when the source gives %s, in the same words each time",
      async (what) => {
        await harness.say("green", what);
        const why = await reason();
        expect(why).not.toBe("");
        expect(await reason()).toBe(why);
      },
    );

    test("a source that is gone is no evidence, and its secret is not told", async () => {
      await harness.say("green", 1);
      await harness.die();
      const began = performance.now();
      const why = await reason();
      expect(performance.now() - began).toBeLessThan(AT_MOST_MS);
      expect(why).not.toContain("hush");
      expect(await reason()).toBe(why);
    });

    test("a source that hangs is left when the signal says so, with its reason", async () => {
      await harness.say("green", 1);
      await harness.hang();
      const over = new AbortController();
      const reading = read("green", over.signal);
      const began = performance.now();
      setTimeout(() => {
        over.abort(new Error("enough"));
      }, 50);
      await expect(reading).rejects.toThrow("enough");
      expect(performance.now() - began).toBeLessThan(AT_MOST_MS);
    });

    test("asks nothing when the signal has aborted already", async () => {
      await harness.say("green", 1);
      await expect(read("green", AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
    });

    test("settings that it does not know are no evidence, not a crash", async () => {
      const subject = harness.subject("green");
      expect(await harness.driver.read({ settings: { nonsense: 1 }, subject }, never)).toMatchObject({ kind: "none" });
    });

    test("says in the plan what is asked, and no secret", () => {
      const said = harness.driver.describe(harness.settings);
      expect(said).not.toBe("");
      expect(said).not.toContain("hush");
    });
  });
}
