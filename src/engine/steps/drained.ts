import { type DrainTimes, longestDrainMs } from "../../model/drain.ts";
import type { Milliseconds } from "../../model/time.ts";
import type { StepRun } from "../step.ts";
import { inFlightOf } from "../traffic-desk.ts";

const LOOK_EVERY_MS: Milliseconds = 50;

/**
 * Waits until the data plane has no request in flight to the environment, or the longest drain is over. Returns how many
 * were left. The data plane itself ends what outlives its time; this only keeps an instance alive until then.
 */
export async function drained(run: StepRun, environment: string, times: DrainTimes): Promise<number> {
  const { parts, desk, deployment, context } = run;
  const driver = desk.driver(run.release);
  const end = parts.clock.monotonic() + longestDrainMs(times);
  for (;;) {
    const left = inFlightOf(await driver.observe(deployment.service, context.signal), environment);
    if (left === 0 || parts.clock.monotonic() >= end) return left;
    await parts.clock.sleep(LOOK_EVERY_MS, context.signal);
  }
}
