import type { Milliseconds } from "../model/time.ts";
import type { EnvironmentObservation } from "../ports/environment.ts";
import type { TrafficObservation } from "../ports/traffic.ts";
import type { StepRow } from "../store/store.ts";
import { driverOf } from "./parts.ts";
import { patiently } from "./patience.ts";
import type { Running } from "./running.ts";
import { healthyIn, weightsToKeep } from "./traffic-desk.ts";

const LOOK_EVERY_MS: Milliseconds = 100;
const REFRESH_MS: Milliseconds = 30_000;
/** The data plane's own checks of instances that have just come up take a few of their intervals. */
const CHECKS_MS: Milliseconds = 5_000;

/**
 * After a reboot a deployment in its shifts or its bake goes on with instances that are only just starting, which says
 * nothing against the release: waits until each environment with traffic has one that is ready, or plainly gets none, for
 * as long as a deploy would. The data plane is then told where they are, and gets the time to see that they are healthy. What
 * serves already is judged at once.
 * @param left the steps that are left
 */
export async function untilReadyAgain(run: Running, left: readonly StepRow[], signal: AbortSignal): Promise<void> {
  const { parts, desk, deployment, release, fence } = run;
  const { clock } = parts;
  const [next] = left;
  const uses = new Set(left.map((row) => row.uses));
  // A step that is still to come waits for them.
  if (next === undefined || uses.has("healthy@1") || !(uses.has("shift@1") || uses.has("bake@1"))) return;
  const step = { id: next.id, attempt: next.attempt + 1 };
  const end = clock.monotonic() + release.spec.health.deadlineMs;
  await patiently({ parts, deployment, step }, signal, async (again) => {
    if (!again && !(await environments(run, signal)).some(isStarting) && !(await isUnseen(run, signal))) return;
    while (clock.monotonic() < end && (await isHeldUp(run, signal))) await clock.sleep(LOOK_EVERY_MS, signal);
    // Every server has a fence of its own.
    const idempotencyKey = `${deployment.id}/ready-again/${String(fence)}`;
    // However long it has waited: what they are like is for the data plane to say.
    const deadline = clock.monotonic() + REFRESH_MS;
    await desk.refresh(deployment.service, release, { signal, fence, idempotencyKey, attempt: step.attempt, deadline });
    const seenBy = clock.monotonic() + CHECKS_MS;
    while (clock.monotonic() < seenBy && (await isUnseen(run, signal))) await clock.sleep(LOOK_EVERY_MS, signal);
  });
}

/** Whether an environment that has traffic, or is about to get some, has no instance for it yet. */
async function isHeldUp(run: Running, signal: AbortSignal): Promise<boolean> {
  const { needed } = await look(run, signal);
  return needed.some((seen) => isStarting(seen) && !isReady(seen));
}

/** Whether one of them has instances that are ready, as the keeper says, and the data plane has yet to see one that is healthy. */
async function isUnseen(run: Running, signal: AbortSignal): Promise<boolean> {
  const { needed, traffic } = await look(run, signal);
  return needed.some((seen) => {
    const isWatched = traffic.instances.some(({ environment }) => environment === seen.environment);
    return isReady(seen) && isWatched && healthyIn(traffic, seen.environment) === 0;
  });
}

interface Look {
  readonly traffic: TrafficObservation;
  /** Environments that have traffic, or are about to get some. */
  readonly needed: readonly EnvironmentObservation[];
}

async function look(run: Running, signal: AbortSignal): Promise<Look> {
  const { parts, desk, deployment, release } = run;
  const { service, to } = deployment;
  const [traffic, row] = await Promise.all([
    desk.driver(release).observe(service, signal),
    parts.store.service(service),
  ]);
  const weights = weightsToKeep(traffic.split, row);
  const needed = (await environments(run, signal)).filter(
    ({ environment }) => environment === to || (weights[environment] ?? 0) > 0,
  );
  return { traffic, needed };
}

function environments({ parts, deployment, release }: Running, signal: AbortSignal): Promise<EnvironmentObservation[]> {
  const driver = driverOf(parts.environments, release.spec.environment.driver);
  const names = new Set([deployment.to, deployment.from].filter((name) => name !== null));
  return Promise.all([...names].map((name) => driver.observe(deployment.service, name, signal)));
}

function isReady({ instances }: EnvironmentObservation): boolean {
  return instances.some(({ state }) => state === "ready");
}

function isStarting({ instances }: EnvironmentObservation): boolean {
  return instances.some(({ state }) => state === "starting");
}
