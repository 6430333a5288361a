import { z } from "zod";
import type { MetricGuardrail, MetricReading, Silence } from "../../model/metric.ts";
import type { Count } from "../mixture.ts";

const count = z.object({ requests: z.number(), failures: z.number() });

/** What a source has said of one environment, as it stands in a step's progress. */
export const sideState = z.object({
  /** When the newest reading was made, by the source's clock. */
  at: z.number().nullable(),
  /** The newest number; null: none yet, or the newest reading was none. */
  value: z.number().nullable(),
  /** The newest counters, by who counts. */
  counts: z.record(z.string(), z.object({ bad: z.number(), total: z.number().nullable() })),
  /** What was counted since the first reading. */
  sum: count,
  /** What the last readings have added. */
  recent: z.array(count),
  /** Why there is no evidence just now; null: there is. */
  silent: z.string().nullable(),
  /** The kind of the newest silence; older states have none, and newer ones kinds of their own. */
  silence: z.string().exactOptional(),
});
export type Side = z.output<typeof sideState>;

const RECENT = 4;
const MINUTE_MS = 60_000;

export const UNHEARD: Side = {
  at: null,
  value: null,
  counts: {},
  sum: { requests: 0, failures: 0 },
  recent: [],
  silent: null,
};

const NOTHING_NEW = { isNew: false, beganAnew: false } as const;

/** What a reading adds. `isNew`: it is one that can be judged. */
export interface Heard {
  readonly side: Side;
  readonly isNew: boolean;
  /** Of counters: somebody counts from here, so that what came before is lost. */
  readonly beganAnew: boolean;
}

/** Nobody has asked. */
export const UNASKED: Heard = { side: UNHEARD, ...NOTHING_NEW };

/** A source that repeats itself, says nothing, or whose clock goes back adds nothing. */
export function hear(side: Side, reading: MetricReading, counting: MetricGuardrail["counting"]): Heard {
  if (reading.kind === "none") return silence(side, reading.code, reading.reason);
  if ((reading.kind === "value") !== (counting === "gauge"))
    return silence(
      side,
      "unreadable",
      counting === "gauge" ? "the source gives counters, not a number" : "the source gives no counters",
    );
  if (side.at !== null && reading.at < side.at)
    return silence({ ...side, at: reading.at }, "clock", "the clock of the source went backwards");
  if (reading.at === side.at) return { side: { ...side, silent: null }, ...NOTHING_NEW };
  const heard = { ...side, at: reading.at, silent: null };
  if (reading.kind === "value") {
    if (!Number.isFinite(reading.value)) return silence(side, "no-number", "the source gives no number");
    return { side: { ...heard, value: reading.value }, isNew: true, beganAnew: false };
  }
  return counted(side, heard, reading);
}

function silence(side: Side, code: Silence, reason: string): Heard {
  return { side: { ...side, value: null, silent: reason, silence: code }, ...NOTHING_NEW };
}

/** With nothing new, what the last readings have added is that much further back. */
export function aged(side: Side): Side {
  return { ...side, recent: [...side.recent, UNHEARD.sum].slice(-RECENT) };
}

/** Whoever is heard of for the first time, or begins anew, counts from here. */
function counted(before: Side, heard: Side, { counts, at }: MetricReading & { readonly kind: "counts" }): Heard {
  const known = Object.entries(counts).flatMap(([who, now]) => {
    const last = before.counts[who];
    if (last === undefined || now.bad < last.bad || (now.total ?? 0) < (last.total ?? 0)) return [];
    const failures = now.bad - last.bad;
    const requests = (now.total ?? 0) - (last.total ?? 0);
    return [{ requests, failures: now.total === null ? failures : Math.min(failures, requests) }];
  });
  const more = known.reduce(plus, UNHEARD.sum);
  const spanMs = before.at === null ? 0 : at - before.at;
  const value = known.length === 0 || spanMs === 0 ? null : (more.failures / spanMs) * MINUTE_MS;
  const side = {
    ...heard,
    value,
    counts: { ...before.counts, ...counts },
    sum: plus(before.sum, more),
    recent: [...before.recent, more].slice(-RECENT),
  };
  return { side, isNew: known.length > 0, beganAnew: known.length < Object.keys(counts).length };
}

export function plus(a: Count, b: Count): Count {
  return { requests: a.requests + b.requests, failures: a.failures + b.failures };
}
