import { recordedTraffic } from "../simulation/recorded.ts";
import { replay } from "../simulation/replay.ts";
import type { DeploymentRecord } from "../store/deployment-record.ts";
import { htmlOf } from "./html.ts";
import type { Figure } from "./plot/figure.ts";
import { replayFigure } from "./replay-figure.ts";
import { reportOf } from "./report.ts";
import { splitsOf } from "./splits.ts";

/** The page of a deployment, with its pictures. @param breathe lets others work for a moment */
export async function reportPage(record: DeploymentRecord, breathe: () => Promise<void>): Promise<string> {
  return htmlOf(reportOf(record), await figureOf(record, breathe));
}

/** Null: nothing is kept of its traffic, or the guardrails that judged it are not on record any more. */
async function figureOf(record: DeploymentRecord, breathe: () => Promise<void>): Promise<Figure | null> {
  const { deployment, events, spec } = record;
  const traffic = recordedTraffic(record);
  if (traffic.points.length === 0 || spec === null) return null;
  const replayed = await replay(traffic, spec, breathe);
  const reverted = events.find(({ type }) => type === "split-reverted");
  const splits = splitsOf(events, deployment.to);
  return replayFigure(traffic, replayed, {
    ...(splits.length === 0 ? {} : { splits }),
    takenBackAt: reverted?.at ?? null,
  });
}
