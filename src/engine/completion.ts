import { TealError, toTealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";
import type { Weights } from "../model/traffic.ts";
import type { TrafficObservation } from "../ports/traffic.ts";
import { aboutOf } from "./about.ts";
import { throwIfLatched } from "./latched.ts";
import { pruneReleases } from "./prune.ts";
import type { Running } from "./running.ts";
import type { Effects } from "./step.ts";

const DISARM_MS: Milliseconds = 5_000;

/**
 * What a deployment leaves behind when it is done: the environment without traffic, kept warm until its retirement. That is
 * the old one, unless a person has given all the traffic back by hand. `last`: a split that is not on record yet.
 */
export async function completionEffects(run: Running, last: Weights | null): Promise<Effects> {
  const { deployment, parts, release } = run;
  const { service, from, to, goal } = deployment;
  if (goal === "retire" || from === null || from === to) return {};
  const weights = last ?? (await parts.store.service(service))?.weights ?? {};
  const isGivenBack = weights[from] === 100;
  const roles = isGivenBack ? { roles: { active: from, standby: to } } : {};
  if (!isGivenBack && (weights[from] ?? 0) > 0) return {};
  const left = isGivenBack ? to : from;
  const old = (await parts.store.environments(service)).find(({ name }) => name === left);
  if (old?.release == null) return roles;
  const planned = (await parts.store.retirements(service))[0];
  // A service has one retirement: that of an environment which is now active again is replaced.
  const replaced = planned === undefined || planned.environment === old.name ? [] : [planned.environment];
  const at = parts.clock.now() + release.spec.deploy.keepStandbyMs;
  return {
    ...roles,
    retirement: { set: { service, environment: old.name, release: old.release, at } },
    events: [
      ...replaced.map((environment) => run.event("retirement-cancelled", { environment })),
      run.event("retirement-scheduled", { environment: old.name, at }),
    ],
  };
}

/**
 * Disarms the data plane: before the deployment is recorded as done, as the next one may begin right after that. What a
 * failure leaves armed, the next preflight or recovery disarms; the deployment is done whatever becomes of this.
 * @throws `latched`, `controller-loss` when it had been reverted before that, and the word had not come through
 */
export async function disarm(run: Running): Promise<void> {
  const { deployment, parts, desk, fence, release } = run;
  const { id, service, from, goal } = deployment;
  if (goal === "retire" || from === null) return;
  const deadline = parts.clock.monotonic() + DISARM_MS;
  const signal = AbortSignal.timeout(DISARM_MS);
  let seen: TrafficObservation | null = null;
  await guarded(run, "disarm", async () => {
    await desk.disarm(release, id, { signal, fence, idempotencyKey: `${id}/disarm`, attempt: 1, deadline });
    seen = await desk.driver(release).observe(service, signal);
  });
  if (seen !== null) throwIfLatched(id, seen);
}

/** Removes old releases, before the next deployment may begin. */
export async function prune(run: Running): Promise<void> {
  const { deployment, parts, release } = run;
  const { service, from, goal } = deployment;
  if (goal !== "deploy" && goal !== "rollback") return;
  if (from === null) return;
  await guarded(run, "prune", () => pruneReleases(parts, service, release.spec.deploy.keepReleases));
}

async function guarded(run: Running, doing: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (thrown) {
    const { code, message } = toTealError(thrown);
    run.parts.report(new TealError(code, message, { cause: thrown }), { ...aboutOf(run.deployment), doing });
  }
}
