import { type Deployment, isEnded } from "../model/deployment.ts";
import type { Dora } from "../model/dora.ts";
import { modeAt } from "../model/maintenance.ts";
import type { EpochMilliseconds } from "../model/time.ts";
import type { EnvironmentStatus, MaintenanceStatus, RollbackSafety, ServiceStatus } from "../model/status.ts";
import type { Hold } from "../model/hold.ts";
import type { StepRow } from "../store/store.ts";
import type { Release } from "../model/release.ts";
import { runsAnother, stateOf, type Survey, type SurveyedEnvironment } from "./survey.ts";

const AT_ITS_GATE: Hold = {
  kind: "approval",
  message: "it waits for somebody to approve it",
  remedy: "`teal approve` lets it go on, `teal abort` rejects it.",
};

/** What `teal status` says of a service. `hold`: of its run; `previous`: the stored release that a rollback would start again, when none is warm. */
export function statusOf(
  seen: Survey,
  {
    steps,
    hold,
    previous,
    dora,
    now,
  }: {
    readonly dora: Dora | null;
    readonly now: EpochMilliseconds;
    readonly steps: readonly StepRow[];
    readonly hold: Hold | null;
    readonly previous: Release | null;
  },
): ServiceStatus {
  const { row, traffic, unfinished, retirement } = seen;
  return {
    service: row.service,
    active: row.active,
    standby: row.standby,
    desired: row.weights,
    observed: traffic?.split?.weights ?? null,
    traffic: traffic?.split?.weights ?? row.weights,
    generation: traffic?.split?.generation ?? row.generation,
    fence: row.fence,
    rollback: rollbackSafety(seen, previous),
    environments: seen.environments.map((environment) => environmentStatus(environment, seen)),
    deployment: unfinished === null || isEnded(unfinished.state) ? null : deploymentStatus(unfinished, steps, hold),
    retirement: retirement === null ? null : { environment: retirement.environment, at: retirement.at },
    dora,
    maintenance: maintenanceStatus(seen, now),
  };
}

function maintenanceStatus({ maintenance, traffic }: Survey, now: EpochMilliseconds): MaintenanceStatus | null {
  const live = traffic?.maintenance ?? null;
  const mode = maintenance === null ? "off" : modeAt(maintenance.order, now);
  if (mode === "off" && (live ?? "off") === "off") return null;
  return {
    mode,
    live,
    since: maintenance?.since ?? null,
    until: mode === "hold" ? (maintenance?.order.until ?? null) : null,
    endsIn: maintenance?.order.endsIn ?? "off",
    by: maintenance?.by ?? null,
    reason: maintenance?.reason ?? null,
  };
}

function deploymentStatus(
  deployment: Deployment,
  steps: readonly StepRow[],
  hold: Hold | null,
): ServiceStatus["deployment"] {
  const { id, goal, state, startedAt } = deployment;
  const step = steps.find((row) => row.state === "running" || row.state === "undoing")?.id ?? null;
  return { id, goal, state, step, startedAt, hold: state === "waiting" ? AT_ITS_GATE : hold };
}

function environmentStatus(
  { name, release, observation }: SurveyedEnvironment,
  { traffic }: Survey,
): EnvironmentStatus {
  const watched = new Map(traffic?.instances.map(({ id, healthy }) => [id, healthy]));
  return {
    name,
    version:
      release !== null && observation !== null && runsAnother(release, observation)
        ? observation.release
        : (release?.version ?? null),
    state: observation?.state ?? "absent",
    instances: (observation?.instances ?? []).map(({ id, address, pid, state }) => ({
      id,
      address,
      pid,
      healthy: state === "ready" && (watched.get(id) ?? true),
    })),
  };
}

function rollbackSafety(seen: Survey, previous: Release | null): RollbackSafety {
  const { row, unfinished } = seen;
  if (unfinished !== null && unfinished.from !== null && unfinished.goal !== "retire")
    return duringDeployment(seen, unfinished, unfinished.from);
  const standby = seen.environments.find(({ name, release }) => name !== row.active && release !== null);
  if (row.active === null) return { safe: "unsafe", reason: "there has been no release yet", seconds: null };
  if (standby?.release != null) {
    const { version } = standby.release;
    if (stateOf(standby) === "ready")
      return { safe: "safe", reason: `${version} is warm on ${standby.name}`, seconds: 1 };
    return {
      safe: "safe",
      reason: `${version} is on ${standby.name}, not running: it is started first`,
      seconds: startSeconds(standby.release),
    };
  }
  if (previous !== null) {
    return {
      safe: "safe",
      reason: `${previous.version} was retired: it is started again from its files`,
      seconds: startSeconds(previous),
    };
  }
  return { safe: "unsafe", reason: "there is no earlier release to go back to", seconds: null };
}

function duringDeployment(seen: Survey, { state }: Deployment, from: string): RollbackSafety {
  const old = seen.environments.find(({ name }) => name === from);
  const version = old?.release?.version ?? from;
  if (state === "rolling-back")
    return { safe: "safe", reason: `${version} is being given the traffic back`, seconds: 1 };
  if (old?.observation?.state === "ready")
    return { safe: "safe", reason: `${version} is running on ${from}`, seconds: 1 };
  return { safe: "unsafe", reason: `${from} has no healthy instance: going back would be worse`, seconds: null };
}

/** The usual start, not the worst case: the health checks that it has to pass, and a second for the app itself. */
function startSeconds({ spec }: Release): number {
  return Math.ceil(1 + (spec.health.healthyAfter * spec.health.intervalMs) / 1000);
}
