import { expect, test } from "vitest";
import { ManualClock } from "../engine/testing/manual-clock.ts";
import { ControllerWatch } from "./controller-watch.ts";

class Rig {
  readonly clock = new ManualClock();
  readonly reverted: string[] = [];
  readonly watch = new ControllerWatch(
    this.clock,
    {
      atRisk: [{ service: "web", deployment: "dep_1" }],
      revert: (_service, deployment) => {
        this.reverted.push(deployment);
        return Promise.resolve(null);
      },
    },
    undefined,
  );
  readonly #over = new AbortController();
  readonly #running = this.watch.run(this.#over.signal);

  /** Second by second; the controller speaks where it is told to. */
  async pass(seconds: number, speaks = false): Promise<void> {
    for (let i = 0; i < seconds; i += 1) {
      await this.standStill(1_000);
      if (speaks) this.watch.heard();
    }
  }

  /** So long no timer of this process runs. */
  async standStill(ms: number): Promise<void> {
    this.clock.advance(ms);
    await new Promise((resolve) => setImmediate(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#running;
  }
}

test("a controller that speaks is not lost; one that is silent for 15 s is", async () => {
  await using rig = new Rig();
  await rig.pass(60, true);
  await rig.pass(14);
  expect(rig.reverted).toEqual([]);
  await rig.pass(1);
  expect(rig.reverted).toEqual(["dep_1"]);
});

test("a proxy that itself stood still for a minute first hears what was said meanwhile", async () => {
  await using rig = new Rig();
  await rig.pass(10, true);
  await rig.standStill(60_000);
  expect(rig.reverted).toEqual([]);
  rig.watch.heard();
  await rig.pass(14);
  expect(rig.reverted).toEqual([]);
});

test("the time in which it stood still is no silence, and the rest of the silence counts on", async () => {
  await using rig = new Rig();
  await rig.pass(10);
  await rig.standStill(60_000);
  await rig.pass(3);
  expect(rig.reverted).toEqual([]);
  await rig.pass(1);
  expect(rig.reverted).toEqual(["dep_1"]);
});

test("a process whose every timer is late judges all the same", async () => {
  await using rig = new Rig();
  for (let i = 0; i < 15; i += 1) await rig.standStill(2_500);
  expect(rig.reverted).toEqual(["dep_1"]);
});
