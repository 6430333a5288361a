import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { toTealError } from "../model/error.ts";
import type { Release } from "../model/release.ts";
import type { ActContext } from "./context.ts";
import type { EnvironmentDriver, EnvironmentObservation, EnvironmentTarget, LogLine } from "./environment.ts";

/**
 * Apps that a harness has to offer. `good` answers every path with 200 and the JSON
 * `{version, instance}` and prints `hello from <version>`; `crashes` prints `last words` and exits 3; `silent` runs and
 * never listens; `missing` has a command that does not exist.
 */
export type ConformanceApp = "good" | "crashes" | "silent" | "missing";

export interface EnvironmentHarness {
  readonly driver: EnvironmentDriver;
  /** A release of the app with the id and version `version`, `count` instances, health checked each 100 ms, healthy after 2. */
  release(app: ConformanceApp, version: string, count: number): Release;
  /** Ends everything that the tests left. */
  close(): Promise<void>;
}

/** Longest wait for a state; far beyond what any driver needs. */
const PATIENCE = { timeout: 60_000, interval: 50 };
const SERVICE = "web";

export function environmentConformance(name: string, makeHarness: () => Promise<EnvironmentHarness>): void {
  describe(`environment driver ${name}`, () => {
    let harness: EnvironmentHarness;
    let driver: EnvironmentDriver;
    const never = new AbortController().signal;

    beforeEach(async () => {
      harness = await makeHarness();
      ({ driver } = harness);
    });
    afterEach(() => harness.close());

    const context = (signal = never): ActContext => ({
      signal,
      fence: 1,
      idempotencyKey: "test",
      attempt: 1,
      deadline: performance.now() + 60_000,
    });
    const target = (environment: string, release: Release): EnvironmentTarget => ({
      service: SERVICE,
      environment,
      release,
      variables: {},
    });
    const observe = (environment: string): Promise<EnvironmentObservation> =>
      driver.observe(SERVICE, environment, never);
    const untilState = async (environment: string, state: string): Promise<EnvironmentObservation> => {
      await expect.poll(async () => (await observe(environment)).state, PATIENCE).toBe(state);
      return observe(environment);
    };
    const run = async (environment: string, version: string, count = 1): Promise<EnvironmentObservation> => {
      await driver.start(target(environment, harness.release("good", version, count)), context());
      return untilState(environment, "ready");
    };

    test("an environment that was never started is absent", async () => {
      expect(await observe("blue")).toEqual({ environment: "blue", release: null, state: "absent", instances: [] });
    });

    test("every instance answers at its own address with its version and identity", async () => {
      const { instances, release } = await run("blue", "v1", 2);
      expect(release).toBe("v1");
      expect(instances.map(({ id }) => id)).toEqual(["web/blue/v1/0", "web/blue/v1/1"]);
      for (const instance of instances) {
        expect(instance).toMatchObject({ state: "ready", code: null, reason: null, restarts: 0 });
        const answer = await fetch(`http://${String(instance.address)}/`);
        expect(await answer.json()).toEqual({ version: "v1", instance: instance.id });
      }
    });

    test("starting the same again changes nothing", async () => {
      const before = await run("blue", "v1", 2);
      expect(await run("blue", "v1", 2)).toEqual(before);
    });

    test("another release replaces the one before", async () => {
      const before = await run("blue", "v1");
      const after = await run("blue", "v2");
      expect(after.release).toBe("v2");
      expect(after.instances.map(({ id }) => id)).toEqual(["web/blue/v2/0"]);
      await expect(fetch(`http://${String(before.instances[0]?.address)}/`)).rejects.toThrow("fetch failed");
    });

    test("a smaller count ends the surplus and leaves the others as they are", async () => {
      const before = await run("blue", "v1", 2);
      const after = await run("blue", "v1", 1);
      expect(after.instances).toEqual(before.instances.slice(0, 1));
    });

    test("a larger count adds, and leaves the others as they are", async () => {
      const before = await run("blue", "v1", 1);
      const after = await run("blue", "v1", 2);
      expect(after.instances.slice(0, 1)).toEqual(before.instances);
      expect(after.instances).toHaveLength(2);
    });

    test("stop leaves nothing, and the same again is harmless", async () => {
      const { instances } = await run("blue", "v1");
      await driver.stop(SERVICE, "blue", context());
      expect((await observe("blue")).state).toBe("absent");
      await expect(fetch(`http://${String(instances[0]?.address)}/`)).rejects.toThrow("fetch failed");
      await driver.stop(SERVICE, "blue", context());
    });

    test("environments do not touch each other", async () => {
      const blue = await run("blue", "v1");
      await run("green", "v2");
      await driver.stop(SERVICE, "green", context());
      expect(await observe("blue")).toEqual(blue);
    });

    test("a command that does not exist is told as such", async () => {
      const start = driver.start(target("blue", harness.release("missing", "v1", 1)), context());
      // At the start already, or only once a shell has looked for it.
      const code = await start.then(
        () => null,
        (thrown: unknown) => toTealError(thrown).code,
      );
      expect([null, "command-not-found"]).toContain(code);
      const { instances } = await untilState("blue", "failed");
      expect(instances[0]).toMatchObject({ state: "failed", code: "command-not-found", reason: expect.any(String) });
    });

    test("an app that keeps ending is a crash loop, with its last words", async () => {
      await driver.start(target("blue", harness.release("crashes", "v1", 1)), context());
      const { instances } = await untilState("blue", "failed");
      expect(instances[0]).toMatchObject({ state: "crash-loop", code: "crash-loop" });
      expect(instances[0]?.reason).toContain("last words");
      await driver.stop(SERVICE, "blue", context());
      expect((await observe("blue")).state).toBe("absent");
    });

    test("an app that does not listen is starting, and the reason says what it waits for", async () => {
      await driver.start(target("blue", harness.release("silent", "v1", 1)), context());
      const reason = async (): Promise<string> => (await observe("blue")).instances[0]?.reason ?? "";
      await expect.poll(reason, PATIENCE).toMatch(/listen/);
      expect((await observe("blue")).state).toBe("starting");
    });

    test("watchers hear of each state, until their signal aborts", async () => {
      const watching = new AbortController();
      const heard: string[] = [];
      driver.watch(
        (service, environment, { id, state }) => heard.push(`${service} ${environment} ${id} ${state}`),
        watching.signal,
      );
      await run("blue", "v1");
      await expect.poll(() => heard, PATIENCE).toContain("web blue web/blue/v1/0 ready");
      watching.abort();
      await driver.stop(SERVICE, "blue", context());
      expect(heard.filter((text) => text.endsWith("stopped"))).toEqual([]);
    });

    test("logs give the last lines, and go on with new ones", async () => {
      await run("blue", "v1");
      const following = new AbortController();
      const lines: LogLine[] = [];
      const reading = (async () => {
        for await (const line of driver.logs(SERVICE, "blue", { lines: 1, follow: true, signal: following.signal }))
          lines.push(line);
      })();
      const texts = (): string[] => lines.map(({ text, instance }) => `${instance}: ${text}`);
      await expect.poll(texts, PATIENCE).toContain("web/blue/v1/0: hello from v1");
      await run("blue", "v2");
      await expect.poll(texts, PATIENCE).toContain("web/blue/v2/0: hello from v2");
      following.abort();
      await reading;
      expect(Math.abs((lines[0]?.at ?? 0) - Date.now())).toBeLessThan(600_000);
    });

    test("an aborted act does not start anything", async () => {
      const aborted = AbortSignal.abort(new Error("enough"));
      await expect(driver.start(target("blue", harness.release("good", "v1", 1)), context(aborted))).rejects.toThrow(
        "enough",
      );
      expect((await observe("blue")).state).toBe("absent");
    });
  });
}
