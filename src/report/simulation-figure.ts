import type { Look } from "../simulation/run.ts";
import type { Simulation } from "../simulation/simulate.ts";
import type { Stage } from "../simulation/stages.ts";
import type { Figure, Line, Panel } from "./plot/figure.ts";
import { count, duration, percent } from "./words.ts";

/** Looks of one run that are drawn. */
const MOST_POINTS = 400;

/** A look with its evidence, kept for a picture. */
export interface DrawnLook extends Omit<Look, "evidence"> {
  readonly evidence: ReturnType<Look["evidence"]>;
}

/** The ramp, how many runs have caught it, what it hurts, and what is held against it, over the time from its first traffic. */
export function simulationFigure(
  simulation: Simulation,
  {
    looks,
    afterMs,
    unwatchedAt,
  }: {
    /** Of the typical run. */
    readonly looks: readonly DrawnLook[];
    readonly afterMs: number;
    /** Failed and slowed requests until then when nobody watches. */
    readonly unwatchedAt: (ms: number) => number;
  },
): Figure {
  const { detectMs, stages, runs } = simulation;
  const planMs = stages.reduce((sum, { watchMs }) => sum + watchMs, 0);
  const end = looks.at(-1)?.at ?? 0;
  const latest = detectMs.p95 === null ? Math.max(end, planMs) : afterMs + detectMs.p95;
  const toMs = Math.max(1_000, Math.min(Math.max(planMs, end), Math.max(latest, end) * 1.25));
  const shown = thinned(looks.filter(({ at }) => at <= toMs));
  const marks: Figure["marks"] = [
    ...(afterMs > 0 ? [{ at: afterMs, label: "turns bad", tone: "muted" as const }] : []),
    ...(detectMs.median === null
      ? []
      : [
          {
            at: afterMs + detectMs.median,
            label: `half are caught: ${duration(detectMs.median)}`,
            tone: "strong" as const,
          },
        ]),
  ];
  return {
    title: "Simulated deployments of a described release",
    description: `Of ${count(runs)} simulated deployments ${count(simulation.caught)} were taken back; in the median after ${detectMs.median === null ? "–" : duration(detectMs.median)}.`,
    fromMs: 0,
    toMs,
    since: "its first traffic",
    marks,
    panels: [
      ramp(stages, toMs),
      caughtPanel(simulation, afterMs, toMs),
      hurtPanel(shown, unwatchedAt, toMs),
      evidencePanel(shown),
    ],
  };
}

function ramp(stages: readonly Stage[], toMs: number): Panel {
  const points: [number, number][] = [];
  let at = 0;
  for (const { weight, watchMs } of stages) {
    points.push([at, weight]);
    at += watchMs;
  }
  const kept = points.filter(([ms]) => ms <= toMs);
  const last = kept.at(-1)?.[1] ?? 0;
  return {
    title: "Traffic on the new release, by the plan",
    least: 100,
    most: 100,
    tick: (value) => `${String(value)} %`,
    lines: [{ label: "weight", tone: "green", step: true, filled: true, points: [...kept, [toMs, last]] }],
  };
}

function caughtPanel({ detections, runs }: Simulation, afterMs: number, toMs: number): Panel {
  const points: [number, number][] = [[0, 0]];
  const every = Math.max(1, Math.floor(detections.length / MOST_POINTS));
  for (const [index, ms] of detections.entries()) {
    const isLast = index === detections.length - 1;
    if ((index % every === 0 || isLast) && ms + afterMs <= toMs)
      points.push([ms + afterMs, (100 * (index + 1)) / runs]);
  }
  const last = points.at(-1)?.[1] ?? 0;
  return {
    title: "Runs that have taken it back by then",
    least: 100,
    most: 100,
    tick: (value) => `${String(value)} %`,
    lines: [{ label: `of ${count(runs)} runs`, tone: "strong", step: true, points: [...points, [toMs, last]] }],
  };
}

function hurtPanel(looks: readonly DrawnLook[], unwatchedAt: (ms: number) => number, toMs: number): Panel {
  const end = looks.at(-1)?.at ?? toMs;
  const grid = Array.from({ length: 61 }, (_, i) => (toMs * i) / 60);
  const hurt = looks.map(({ at, hurt: sum }) => [at, sum] as const);
  return {
    title: "Requests failed or slowed so far",
    least: 5,
    tick: count,
    lines: [
      { label: "typical run", tone: "bad", points: [[0, 0], ...hurt, [Math.max(end, toMs), hurt.at(-1)?.[1] ?? 0]] },
      { label: "if nothing watched", tone: "muted", dashed: true, points: grid.map((ms) => [ms, unwatchedAt(ms)]) },
    ],
  };
}

function evidencePanel(looks: readonly DrawnLook[]): Panel {
  return {
    title: "Evidence of the typical run, as a share of what takes a release back",
    least: 1,
    most: 1.2,
    tick: percent,
    level: { at: 1, label: "takes back" },
    lines: evidenceLines(looks),
  };
}

const TONES = ["bad", "strong", "blue", "green", "muted"] as const;

/** A line for each rule that takes back, by the strongest of its tests. */
export function evidenceLines(looks: readonly Pick<DrawnLook, "at" | "evidence">[]): Line[] {
  const rules = new Set(looks.flatMap(({ evidence }) => evidence.filter(isJudge).map(({ rule }) => rule)));
  return [...rules].map((rule, index) => ({
    label: rule,
    tone: TONES[index % TONES.length] ?? "muted",
    dashed: index % 2 === 1,
    points: looks.map(({ at, evidence }) => {
      const shares = evidence.filter((one) => one.rule === rule && isJudge(one)).map(({ share }) => share);
      return [at, shares.length === 0 ? null : Math.max(...shares)] as const;
    }),
  }));
}

function isJudge({ action }: DrawnLook["evidence"][number]): boolean {
  return action === "rollBack";
}

/** Evenly fewer, the last among them. */
function thinned<T>(looks: readonly T[]): readonly T[] {
  const every = Math.ceil(looks.length / MOST_POINTS);
  return looks.filter((_, index) => index % every === 0 || index === looks.length - 1);
}
