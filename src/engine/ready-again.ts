import type { Milliseconds } from "../model/time.ts";
import type { StepRow } from "../store/store.ts";
import { driverOf } from "./parts.ts";
import { patiently } from "./patience.ts";
import type { Running } from "./running.ts";

const LOOK_EVERY_MS: Milliseconds = 100;

/**
 * After a reboot a deployment in its shifts or its bake goes on with instances that are only just starting, which says
 * nothing against the release: waits until they are up, or plainly do not come up, for as long as a deploy would. The data
 * plane is then told where they are.
 * @param left the steps that are left
 */
export async function untilReadyAgain(run: Running, left: readonly StepRow[], signal: AbortSignal): Promise<void> {
  const { parts, desk, deployment, release, fence } = run;
  const [next] = left;
  const uses = new Set(left.map((row) => row.uses));
  // A step that is still to come waits for them.
  if (next === undefined || uses.has("healthy@1") || !(uses.has("shift@1") || uses.has("bake@1"))) return;
  const step = { id: next.id, attempt: next.attempt + 1 };
  await patiently({ parts, deployment, step }, signal, async () => {
    const deadline = parts.clock.monotonic() + release.spec.health.deadlineMs;
    if (!(await isStarting(run, signal))) return;
    do await parts.clock.sleep(LOOK_EVERY_MS, signal);
    while (parts.clock.monotonic() < deadline && (await isStarting(run, signal)));
    const idempotencyKey = `${deployment.id}/ready-again`;
    await desk.refresh(deployment.service, release, { signal, fence, idempotencyKey, attempt: step.attempt, deadline });
  });
}

async function isStarting({ parts, deployment, release }: Running, signal: AbortSignal): Promise<boolean> {
  const driver = driverOf(parts.environments, release.spec.environment.driver);
  const names = [deployment.to, deployment.from].filter((name) => name !== null);
  const seen = await Promise.all(names.map((name) => driver.observe(deployment.service, name, signal)));
  return seen.some(({ instances }) => instances.some(({ state }) => state === "starting"));
}
