import type { Deployment } from "../model/deployment.ts";
import { TealError, toTealError } from "../model/error.ts";
import type { Plan } from "../model/plan.ts";
import type { Release } from "../model/release.ts";
import type { Accepted, NewDeployment } from "../store/store.ts";
import { namesInWords } from "../model/names.ts";
import { planDeploy } from "../plan/deploy.ts";
import { planRetire } from "../plan/retire.ts";
import { planRollback } from "../plan/rollback.ts";
import { environmentOf } from "../plan/state.ts";
import { planSwitch } from "../plan/switch.ts";
import type { Asker, PlanQuestion } from "./control.ts";
import { freeze } from "./freeze.ts";
import { lastTakenBack } from "./last-taken-back.ts";
import { metricReads } from "./metrics/plan.ts";
import { driverOf, type EngineParts } from "./parts.ts";
import { previousRelease } from "./prune.ts";
import { known, planState, type Survey, survey } from "./survey.ts";

export interface Planned {
  readonly plan: Plan;
  readonly release: Release;
  /** Id of the release that has the traffic now. */
  readonly leaves: string | null;
  /** Whether the release has no record yet. */
  readonly isNew: boolean;
}

/** Makes the plan that a request means now. Reads; writes nothing. */
export async function planned(parts: EngineParts, question: PlanQuestion, signal: AbortSignal): Promise<Planned> {
  if (question.goal === "deploy") {
    const specs = await parts.configuration.load(question.variables);
    const spec = specs.find(({ name }) => name === question.service);
    if (spec === undefined) {
      throw new TealError(
        "service-unknown",
        `teal.yaml has no service ${question.service}; it has ${namesInWords(specs.map(({ name }) => name))}`,
      );
    }
    const [{ release, isNew }, seen] = await Promise.all([
      freeze(parts, spec, question.version, signal),
      survey(parts, question.service, signal),
    ]);
    const plan = planDeploy(planState(seen), release);
    const cautions = driverOf(parts.environments, spec.environment.driver).cautions(spec.environment);
    const reads = plan.from === null ? [] : metricReads(parts, spec);
    const warnings = [...plan.warnings, ...cautions];
    return {
      plan: { ...plan, warnings, ...(reads.length === 0 ? {} : { reads }) },
      release,
      leaves: releaseOf(seen, plan.from),
      isNew,
    };
  }
  const seen = await survey(parts, question.service, signal);
  switch (question.goal) {
    case "switch":
      return existing(seen, planSwitch(planState(seen), known(seen, question.to), { force: question.force ?? false }));
    case "retire":
      return existing(seen, planRetire(planState(seen), known(seen, question.to)));
    case "rollback": {
      const active = seen.environments.find(({ name }) => name === seen.row.active)?.release ?? null;
      const previous = await previousRelease(parts, question.service, active?.id ?? null);
      const plan = planRollback(planState(seen), previous);
      const release = environmentOf(planState(seen), plan.to).release ?? previous;
      if (release === null)
        throw new TealError("nothing-to-roll-back-to", `${question.service} has no earlier release`);
      const leaves = releaseOf(seen, plan.from);
      const note = await lastTakenBack(parts, question.service, { from: leaves, to: release.id });
      const warnings = note === null ? plan.warnings : [note, ...plan.warnings];
      return { plan: { ...plan, warnings }, release, leaves, isNew: false };
    }
    default:
      return question satisfies never;
  }
}

function existing(seen: Survey, plan: Plan): Planned {
  const release = environmentOf(planState(seen), plan.to).release;
  if (release === null) throw new TealError("no-release", `${plan.to} of ${plan.service} has no release`);
  return { plan, release, leaves: releaseOf(seen, plan.from), isNew: false };
}

function releaseOf(seen: Survey, environment: string | null): string | null {
  return environment === null ? null : (environmentOf(planState(seen), environment).release?.id ?? null);
}

/** Outcome of {@link accept}: `repeated` when the same request had come before. */
export interface Admission {
  readonly deployment: Deployment;
  readonly repeated: boolean;
}

/**
 * Writes the deployment with its plan: from here on it happens, whatever crashes.
 * @throws `deployment-running` when another has the service
 */
export async function accept(parts: EngineParts, { plan, release, isNew }: Planned, asker: Asker): Promise<Admission> {
  const { service, goal, from, to } = plan;
  const createdAt = parts.clock.now();
  const deployment: Deployment = {
    id: parts.ids.next("dep"),
    service,
    goal,
    state: "planned",
    from,
    to,
    release: release.id,
    version: release.version,
    touchedTraffic: false,
    cause: null,
    by: asker.by,
    reason: asker.reason,
    createdAt,
    startedAt: null,
    endedAt: null,
  };
  const { by, reason } = asker;
  const told = { goal, from, to, version: release.version, release: release.id, by, reason, warnings: plan.warnings };
  const outcome = await acceptOnce(parts, {
    deployment,
    plan,
    idempotencyKey: asker.idempotencyKey,
    release: isNew ? release : null,
    events: [parts.journal.event("deployment-accepted", told, { service, deployment: deployment.id })],
  });
  switch (outcome.kind) {
    case "accepted":
      parts.journal.told(outcome.events);
      return { deployment, repeated: false };
    case "repeated":
      return { deployment: outcome.deployment, repeated: true };
    case "busy":
      throw new TealError(
        "deployment-running",
        `${outcome.deployment.id} (${outcome.deployment.goal} to ${outcome.deployment.to}) is ${outcome.deployment.state}`,
      );
    default:
      return outcome satisfies never;
  }
}

/** A store that failed in the middle may have written it, and nobody would run it: the same id again finds out. */
async function acceptOnce({ store }: EngineParts, row: NewDeployment): Promise<Accepted> {
  try {
    return await store.accept(row);
  } catch (thrown) {
    if (toTealError(thrown).code !== "store-failed") throw thrown;
    return store.accept(row);
  }
}
