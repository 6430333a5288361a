import type { RecordedTraffic } from "../model/series.ts";
import type { EpochMilliseconds } from "../model/time.ts";
import type { Replayed } from "../simulation/replay.ts";
import type { Figure, Panel } from "./plot/figure.ts";
import { evidenceLines } from "./simulation-figure.ts";
import { passedAt } from "../simulation/recorded.ts";
import { columnsOf, toneOf, trafficPanels } from "./traffic-panels.ts";
import { count, duration, percent } from "./words.ts";

/** A change of the split that was observed. */
export interface SplitChange {
  readonly at: EpochMilliseconds;
  /** Percent for the new environment. */
  readonly weight: number;
  /** The step that made it; null: none did. */
  readonly step: string | null;
}

export interface ReplayFigureOptions {
  /** Absent: as the plan's steps say. */
  readonly splits?: readonly SplitChange[];
  /** When it was really taken back. */
  readonly takenBackAt?: EpochMilliseconds | null;
}

/** A recorded deployment: its split, the traffic of both environments, and what was held against the new one. */
export function replayFigure(
  traffic: RecordedTraffic,
  replayed: Replayed,
  { splits = stagesAsSplits(traffic), takenBackAt: wallTakenBackAt = null }: ReplayFigureOptions = {},
): Figure {
  const changes = splits.map((split) => ({ ...split, at: passedAt(traffic, split.at, split.step) }));
  const takenBackAt = wallTakenBackAt === null ? null : passedAt(traffic, wallTakenBackAt, null);
  const from = traffic.points[0]?.from ?? changes[0]?.at ?? 0;
  const last = Math.max(traffic.points.at(-1)?.at ?? from, changes.at(-1)?.at ?? from, takenBackAt ?? from);
  const toMs = Math.max(1_000, last - from);
  const columns = columnsOf(traffic, from);
  const { takenBack } = replayed;
  return {
    title: `Traffic of ${traffic.deployment} (${traffic.service})`,
    description: `Split, requests, failures and latency of ${traffic.candidate}${traffic.baseline === null ? "" : ` and ${traffic.baseline}`}, and what the guardrails held against ${traffic.candidate}.`,
    fromMs: 0,
    toMs,
    since: "its first traffic",
    notes: [
      ...clockNotes(traffic),
      ...(replayed.caveats.length === 0
        ? []
        : [`The evidence is not exact: ${replayed.caveats.map(({ message }) => message).join("; ")}.`]),
      `The evidence is worked out from counts in intervals of up to ${duration(replayed.grainMs)}, so it may come so much later than the verdict did, or fall short of a close one.`,
    ],
    marks: [
      ...(takenBackAt === null ? [] : [{ at: takenBackAt - from, label: "taken back", tone: "bad" as const }]),
      ...(takenBack === null || takenBackAt !== null
        ? []
        : [
            {
              at: takenBack.at - from,
              label: `would be taken back: ${duration(takenBack.at - from)}`,
              tone: "bad" as const,
            },
          ]),
    ],
    panels: [
      splitPanel(changes, { from, toMs, candidate: traffic.candidate }),
      ...trafficPanels(columns, traffic),
      failedPanel(traffic, from),
      {
        title: "Evidence, as a share of what takes it back",
        least: 1,
        most: 1.2,
        tick: percent,
        level: { at: 1, label: "takes back" },
        lines: evidenceLines(replayed.looks.map(({ at, evidence }) => ({ at: at - from, evidence }))),
      },
    ],
  };
}

/** Times in tables are those that the machine's clock showed. */
function clockNotes({ points }: RecordedTraffic): string[] {
  const set = points.find(({ clockMs }) => clockMs !== undefined)?.clockMs;
  if (set === undefined) return [];
  const how = `${set < 0 ? "back" : "forward"} by ${duration(Math.abs(set))}`;
  return [
    `The machine's clock was set ${how} meanwhile: the pictures go by the time that passed, tables by the clock.`,
  ];
}

function splitPanel(
  splits: readonly SplitChange[],
  { from, toMs, candidate }: { readonly from: EpochMilliseconds; readonly toMs: number; readonly candidate: string },
): Panel {
  const points = splits.map(({ at, weight }) => [Math.min(toMs, Math.max(0, at - from)), weight] as const);
  const last = points.at(-1)?.[1] ?? 0;
  return {
    title: `Traffic on ${candidate}`,
    least: 100,
    most: 100,
    tick: (value) => `${String(value)} %`,
    lines: [
      { label: "weight", tone: toneOf(candidate), step: true, filled: true, points: [[0, 0], ...points, [toMs, last]] },
    ],
  };
}

function failedPanel({ points, candidate }: RecordedTraffic, from: EpochMilliseconds): Panel {
  let failed = 0;
  const sums = points.map(({ at, environments }) => {
    failed += environments[candidate]?.failures ?? 0;
    return [at - from, failed] as const;
  });
  return {
    title: `Requests that ${candidate} failed so far`,
    least: 5,
    tick: count,
    lines: [{ label: "failed", tone: "bad", filled: true, points: [[0, 0], ...sums] }],
  };
}

function stagesAsSplits({ stages }: RecordedTraffic): readonly SplitChange[] {
  return stages.map(({ from, weight, step }) => ({ at: from, weight, step }));
}
