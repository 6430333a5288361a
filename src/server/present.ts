import type {
  ApprovedAnswer,
  DeploymentAnswer,
  EventAnswer,
  HistoryAnswer,
  LogLineAnswer,
  MaintenanceAnswer,
  PlanAnswer,
  ProblemAnswer,
  ReceiptAnswer,
  SeriesAnswer,
  ServiceStatusAnswer,
  SwitchedAnswer,
  TokenAnswer,
  TrafficSetAnswer,
} from "../api/answers.ts";
import type { DeploymentView, MaintenanceOutcome, Passed, PlanView, Switched, TrafficSet } from "../engine/control.ts";
import { CATALOGUE } from "../model/catalogue.ts";
import type { Deployment } from "../model/deployment.ts";
import type { TealError } from "../model/error.ts";
import type { TealEvent } from "../model/event.ts";
import type { RecordedTraffic, SparseHistogram } from "../model/series.ts";
import type { ServiceStatus } from "../model/status.ts";
import type { Token } from "../model/token.ts";
import type { Milliseconds } from "../model/time.ts";
import type { Receipt } from "../model/traffic.ts";

// The model as the API shows it. Each answer is written out field by field: what the model gains is not shown unawares.

const seconds = (ms: Milliseconds): number => ms / 1_000;

export function presentService(status: ServiceStatus): ServiceStatusAnswer {
  return {
    ...status,
    traffic: { ...status.traffic },
    desired: { ...status.desired },
    observed: status.observed === null ? null : { ...status.observed },
    dora: status.dora === null ? null : { ...status.dora },
    environments: status.environments.map((environment) => ({
      ...environment,
      instances: environment.instances.map((instance) => ({ ...instance })),
    })),
  };
}

export function presentPlan(plan: PlanView): PlanAnswer {
  const { goal, service, from, to } = plan;
  return {
    goal,
    service,
    from,
    to,
    steps: plan.steps.map(({ id, uses, title, touches, expectedMs, worstMs }) => ({
      id,
      uses,
      title,
      touches: [...touches],
      expectedSeconds: seconds(expectedMs),
      worstSeconds: seconds(worstMs),
    })),
    worstRollbackSeconds: seconds(plan.worstRollbackMs),
    warnings: [...plan.warnings],
    ...(plan.reads === undefined ? {} : { reads: [...plan.reads] }),
    changes: plan.changes.map((change) => ({ ...change })),
    releases: { ...plan.releases },
  };
}

export function presentReceipt(receipt: Receipt): ReceiptAnswer {
  return { ...receipt, from: { ...receipt.from }, to: { ...receipt.to } };
}

export function presentDeployment({ deployment, steps, receipts }: DeploymentView): DeploymentAnswer {
  const { touchedTraffic: _internal, ...shown } = deployment;
  return {
    ...shown,
    steps: steps.map(({ id, uses, title, state, startedAt, endedAt, progress }) => ({
      id,
      uses,
      title,
      state,
      startedAt,
      endedAt,
      ...(typeof progress["message"] === "string" ? { message: progress["message"] } : {}),
    })),
    receipts: receipts.map(presentReceipt),
  };
}

export function presentSwitched({ deployment, receipt }: Switched): SwitchedAnswer {
  return { id: deployment.id, state: deployment.state, receipt: receipt === null ? null : presentReceipt(receipt) };
}

export function presentApproved({ deployment, approval, repeated }: Passed): ApprovedAnswer {
  const { id, service, state } = deployment;
  const { by, reason, at } = approval;
  return { id, service, state, by, reason, at, repeated };
}

export function presentMaintenance({ service, record, changed, warnings }: MaintenanceOutcome): MaintenanceAnswer {
  const { order, since, by, reason } = record;
  const { mode, until, endsIn } = order;
  return { service, mode, since, until, endsIn, by, reason, changed, warnings: [...warnings] };
}

export function presentTrafficSet({ service, weights, generation, receipt }: TrafficSet): TrafficSetAnswer {
  return { service, weights: { ...weights }, generation, receipt: receipt === null ? null : presentReceipt(receipt) };
}

export function presentSeries({ before, stages, points, ...about }: RecordedTraffic): SeriesAnswer {
  const pairs = (histogram: SparseHistogram): [number, number][] => histogram.map(([bucket, count]) => [bucket, count]);
  return {
    ...about,
    stages: stages.map((stage) => ({ ...stage })),
    before: mapValues(before, pairs),
    points: points.map(({ environments, ...point }) => ({
      ...point,
      environments: mapValues(environments, ({ latency, ...cell }) => ({ ...cell, latency: pairs(latency) })),
    })),
  };
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

export function presentHistory(deployments: readonly Deployment[]): HistoryAnswer {
  return {
    history: deployments.map(({ id, goal, from, to, version, state, startedAt, endedAt, by, reason, cause }) => ({
      deployment: id,
      goal,
      from,
      to,
      version,
      state,
      startedAt,
      endedAt,
      by,
      // Why it was begun; of one that a person ended, why it was ended.
      reason: (cause?.kind === "abort" ? cause.reason : null) ?? reason,
      cause,
    })),
  };
}

export function presentToken(token: Token): TokenAnswer {
  const { id, name, role, services, createdBy, createdAt, expiresAt, usedAt } = token;
  return {
    id,
    name,
    role,
    services: services === null ? null : [...services],
    createdBy,
    createdAt,
    expiresAt,
    usedAt,
  };
}

export function presentEvent({ seq, at, service, deployment, type, step, data }: TealEvent): EventAnswer {
  return { seq, at, service, deployment, type, ...(step === null ? {} : { step }), data: { ...data } };
}

export function presentLogLine({ at, instance, text }: LogLineAnswer): LogLineAnswer {
  return { at, instance, text };
}

/** RFC 9457. The code is the type: a URN, as there is no page on the web to name. */
export function presentError(error: TealError): ProblemAnswer {
  const { title, status } = CATALOGUE[error.code];
  return {
    type: `urn:teal:error:${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    remedy: error.remedy,
    problems: error.problems.map((problem) => ({ ...problem })),
  };
}
