import { Trial } from "../analysis/trial.ts";
import { type RecordedStage, type RecordedTraffic, sparse } from "../model/series.ts";
import type { EpochMilliseconds } from "../model/time.ts";
import type { DeploymentRecord } from "../store/deployment-record.ts";
import { weights as weightsShape } from "../store/stored/shapes.ts";
import type { StepRow } from "../store/store.ts";

/** What was kept of a deployment's traffic, with the steps that watched it. */
export function recordedTraffic({ deployment, steps, series }: DeploymentRecord): RecordedTraffic {
  const { id, service, from, to } = deployment;
  const baseline = from === to ? null : from;
  return {
    deployment: id,
    service,
    candidate: to,
    baseline,
    stages: steps.flatMap((row) => stageOf(row, to)),
    before: { ...series.find(({ before }) => before !== undefined)?.before, ...judgedBy(steps, baseline) },
    points: series.flatMap((chunk) =>
      chunk.points.map((point, index) => ({ ...point, from: chunk.points[index - 1]?.at ?? chunk.from })),
    ),
  };
}

/**
 * The recording's own time when the wall clock showed this: another one where the clock was set meanwhile. A time that it
 * has shown twice is taken for that of the step, or for the later one.
 */
export function passedAt({ points }: RecordedTraffic, wall: EpochMilliseconds, step: string | null): EpochMilliseconds {
  if (points.every(({ clockMs }) => clockMs === undefined)) return wall;
  const shown = points.filter(({ from, at, clockMs = 0 }) => from <= wall - clockMs && wall - clockMs <= at);
  const point = shown.findLast((one) => one.step === step) ?? shown.at(-1) ?? points.at(-1);
  return wall - (point?.clockMs ?? 0);
}

/** What its own trial has gone by, which also knows of the time before deployments that were taken back. */
function judgedBy(steps: readonly StepRow[], baseline: string | null): RecordedTraffic["before"] {
  const trials = steps.flatMap(({ progress }) => Trial.latenciesBefore(progress["trial"]) ?? []);
  const known = trials.map(sparse).find((histogram) => histogram.length > 0);
  return baseline === null || known === undefined ? {} : { [baseline]: known };
}

function stageOf({ id, uses, input, startedAt, endedAt, progress }: StepRow, candidate: string): RecordedStage[] {
  const watches = /^(?:shift|bake)@/.test(uses) && Number(input["watchMs"] ?? 0) > 0;
  const weights = weightsShape.safeParse(input["weights"]).data ?? {};
  const weight = weights[candidate];
  if (!watches || startedAt === null || weight === undefined) return [];
  const since = progress["watchedSince"];
  const compared = Object.entries(weights).some(([name, share]) => name !== candidate && share > 0);
  return [{ step: id, weight, from: typeof since === "number" ? since : startedAt, to: endedAt, compared }];
}
