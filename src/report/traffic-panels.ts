import type { Latencies } from "../analysis/latencies.ts";
import { quantile } from "../analysis/quantile.ts";
import { FINE_BUCKETS, latencyOf } from "../model/latency.ts";
import type { RecordedTraffic, SeriesCell } from "../model/series.ts";
import type { EpochMilliseconds, Milliseconds } from "../model/time.ts";
import type { Line, Panel, Tone } from "./plot/figure.ts";
import { count, duration, percent } from "./words.ts";

/** Columns of a picture: points that fall into the same one are joined. None is shorter than a second, or it shows chance. */
const COLUMNS = 240;
const LEAST_MS: Milliseconds = 1_000;
/** So few requests give no quantile. */
const LEAST = 5;

/** What came of each environment in one column. */
export interface Column {
  /** Its end, in ms since the beginning. */
  readonly at: Milliseconds;
  readonly ms: Milliseconds;
  readonly cells: ReadonlyMap<string, JoinedCell>;
}

export interface JoinedCell {
  readonly requests: number;
  readonly failures: number;
  readonly latencies: Latencies;
}

/** Recorded points, joined to as many as can be told apart. */
export function columnsOf({ points }: RecordedTraffic, from: EpochMilliseconds): readonly Column[] {
  const span = points.reduce((sum, point) => sum + point.at - point.from, 0);
  const columns: Column[] = [];
  for (const joined of joinedTo(points, Math.max(LEAST_MS, span / COLUMNS))) {
    const last = joined.at(-1);
    if (last === undefined) continue;
    const names = new Set(joined.flatMap(({ environments }) => Object.keys(environments)));
    const cells = [...names].map((name) => [name, join(joined.flatMap((p) => p.environments[name] ?? []))] as const);
    const ms = joined.reduce((sum, point) => sum + point.at - point.from, 0);
    columns.push({ at: last.at - from, ms, cells: new Map(cells) });
  }
  return columns;
}

/** Points that follow each other, in groups that are so long; the last may be shorter. */
function joinedTo(points: RecordedTraffic["points"], ms: Milliseconds): RecordedTraffic["points"][number][][] {
  const groups: RecordedTraffic["points"][number][][] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const point of points) {
    if (length >= ms) {
      groups.push([]);
      length = 0;
    }
    groups.at(-1)?.push(point);
    length += point.at - point.from;
  }
  return groups;
}

function join(cells: readonly SeriesCell[]): JoinedCell {
  const buckets = new Float64Array(FINE_BUCKETS);
  let [requests, failures] = [0, 0];
  for (const cell of cells) {
    requests += cell.requests;
    failures += cell.failures;
    for (const [bucket, n] of cell.latency) buckets[bucket] = (buckets[bucket] ?? 0) + n;
  }
  return { requests, failures, latencies: latencyOf(buckets) };
}

interface Sides {
  readonly candidate: string;
  readonly baseline: string | null;
}

/** Requests, failures and latency of both environments. */
export function trafficPanels(columns: readonly Column[], sides: Sides): Panel[] {
  const lines = (value: (cell: JoinedCell, column: Column) => number | null): Line[] =>
    [sides.candidate, ...(sides.baseline === null ? [] : [sides.baseline])].map((name) => ({
      label: name,
      tone: toneOf(name),
      dashed: name !== sides.candidate,
      points: columns.flatMap((column, index) => {
        const cell = column.cells.get(name);
        const known = cell === undefined ? null : value(cell, column);
        // Of the whole interval: the line begins where the first one does.
        return index === 0
          ? [[column.at - column.ms, known] as const, [column.at, known] as const]
          : [[column.at, known] as const];
      }),
    }));
  return [
    {
      title: "Requests a second",
      least: 1,
      tick: count,
      lines: lines(({ requests }, { ms }) => (ms === 0 ? null : (requests * 1_000) / ms)),
    },
    {
      title: "Failed requests, as a share",
      least: 0.02,
      most: 1,
      tick: percent,
      lines: lines(({ requests, failures }) => (requests === 0 ? null : failures / requests)),
    },
    {
      title: "p95 of the time to the first byte",
      least: 10,
      tick: duration,
      lines: lines(({ requests, latencies }) =>
        requests < LEAST ? null : (quantile(latencies, 0.95)?.estimate ?? null),
      ),
    },
  ];
}

export function toneOf(environment: string): Tone {
  return environment === "green" ? "green" : "blue";
}
