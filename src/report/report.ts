import type { Deployment } from "../model/deployment.ts";
import type { EpochMilliseconds } from "../model/time.ts";
import type { Receipt } from "../model/traffic.ts";
import { recordedTraffic } from "../simulation/recorded.ts";
import type { DeploymentRecord } from "../store/deployment-record.ts";
import type { StepState } from "../store/store.ts";
import { type Checklist, checklistOf } from "./checklist.ts";
import { type EnvironmentTraffic, trafficOf } from "./environment-traffic.ts";
import { type Incident, incidentOf } from "./incident.ts";
import { splitsOf } from "./splits.ts";
import { type Moment, timelineOf } from "./timeline.ts";
import { duration } from "./words.ts";

/** What became of a deployment, from what is on record. Version 1. */
export interface Report {
  readonly format: 1;
  readonly deployment: Omit<Deployment, "touchedTraffic" | "cause">;
  /** One sentence. */
  readonly headline: string;
  readonly steps: readonly {
    readonly id: string;
    readonly title: string;
    readonly state: StepState;
    readonly startedAt: EpochMilliseconds | null;
    readonly endedAt: EpochMilliseconds | null;
  }[];
  readonly timeline: readonly Moment[];
  readonly receipts: readonly Receipt[];
  readonly traffic: readonly EnvironmentTraffic[];
  readonly checklist: Checklist;
  /** Null: it was not taken back. */
  readonly incident: Incident | null;
}

export function reportOf(record: DeploymentRecord): Report {
  const { touchedTraffic: _internal, cause: _told, ...deployment } = record.deployment;
  const recorded = recordedTraffic(record);
  const traffic = trafficOf(recorded);
  return {
    format: 1,
    deployment,
    headline: headlineOf(record),
    steps: record.steps.map(({ id, title, state, startedAt, endedAt }) => ({ id, title, state, startedAt, endedAt })),
    timeline: timelineOf(record),
    receipts: record.receipts,
    traffic,
    checklist: checklistOf(record, traffic),
    incident: incidentOf(record, traffic),
  };
}

const ENDS = {
  planned: "is planned",
  running: "is under way",
  waiting: "waits for an approval",
  baking: "is being watched at its full weight",
  completed: "was completed",
  "rolling-back": "is being taken back",
  "rolled-back": "was taken back",
  aborted: "was aborted",
  failed: "failed",
  frozen: "is frozen: going back would be worse",
} as const satisfies Record<Deployment["state"], string>;

function headlineOf({ deployment, events }: DeploymentRecord): string {
  const { goal, service, version, from, to, state, startedAt, endedAt, cause } = deployment;
  const what = `${goal} of ${service}${version === null ? "" : ` ${version}`}`;
  const where = from === null || from === to ? `on ${to}` : `from ${from} to ${to}`;
  const took = startedAt === null || endedAt === null ? "" : ` after ${duration(endedAt - startedAt)}`;
  const why = cause === null ? "" : `: ${cause.kind === "abort" ? `${cause.by} asked for it` : cause.message}`;
  const touched = splitsOf(events, to).length > 0;
  return `The ${what} ${where} ${ENDS[state]}${took}${why}${cause !== null && !touched ? "; no traffic had been touched" : ""}.`;
}
