import type { RecordedStage, RecordedTraffic } from "../model/series.ts";
import type { DeploymentRecord } from "../store/deployment-record.ts";
import { weights as weightsShape } from "../store/stored/shapes.ts";
import type { StepRow } from "../store/store.ts";

/** What was kept of a deployment's traffic, with the steps that watched it. */
export function recordedTraffic({ deployment, steps, series }: DeploymentRecord): RecordedTraffic {
  const { id, service, from, to } = deployment;
  return {
    deployment: id,
    service,
    candidate: to,
    baseline: from === to ? null : from,
    stages: steps.flatMap((row) => stageOf(row, to)),
    before: series.find(({ before }) => before !== undefined)?.before ?? {},
    points: series.flatMap((chunk) =>
      chunk.points.map((point, index) => ({ ...point, from: chunk.points[index - 1]?.at ?? chunk.from })),
    ),
  };
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
