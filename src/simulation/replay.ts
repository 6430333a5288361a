import { NO_TRAFFIC, plus } from "../analysis/counters.ts";
import { evaluate } from "../analysis/guardrails.ts";
import { rulesOfTrial } from "../analysis/sources.ts";
import { type Evidence, Trial } from "../analysis/trial.ts";
import type { RuleVerdict } from "../analysis/verdict.ts";
import { FINE_BUCKETS, latencyOf } from "../model/latency.ts";
import type { RecordedStage, RecordedTraffic, SeriesCell, SeriesPoint, SparseHistogram } from "../model/series.ts";
import type { ServiceSpec } from "../model/service.ts";
import type { EpochMilliseconds, Milliseconds } from "../model/time.ts";
import type { TrafficCounters } from "../model/traffic.ts";
import { type Caveat, caveatsOf } from "./caveats.ts";

/** Looks between two breaths: some milliseconds of work. */
const AT_ONCE = 100;

/** What guardrails make of recorded traffic. */
export interface Replayed {
  readonly looks: readonly { readonly at: EpochMilliseconds; readonly evidence: readonly Evidence[] }[];
  /** The first verdict of each action, and the last one of all rules. */
  readonly verdicts: readonly (RuleVerdict & { readonly at: EpochMilliseconds; readonly step: string })[];
  /** When it would have been taken back; null: never, by what was recorded. */
  readonly takenBack: (RuleVerdict & { readonly at: EpochMilliseconds; readonly step: string }) | null;
  /** Failed requests of the new environment until then, or in all. */
  readonly failed: number;
  readonly requests: number;
  /** Why a deployment may come to another verdict. */
  readonly caveats: readonly Caveat[];
  /** The longest interval: a verdict may be told so much late. */
  readonly grainMs: Milliseconds;
}

/**
 * Judges recorded traffic by the guardrails of a configuration that may be another than was in force. Readings are a second
 * or more apart where they were a tenth of one, so that verdicts come later by up to an interval. @param breathe lets others work for a moment
 */
export async function replay(
  traffic: RecordedTraffic,
  spec: ServiceSpec,
  breathe: () => Promise<void> = () => Promise.resolve(),
): Promise<Replayed> {
  const replaying = new Replay(traffic, spec);
  for (const [index, point] of traffic.points.entries()) {
    if (index % AT_ONCE === AT_ONCE - 1) await breathe();
    if (replaying.add(point)) break;
  }
  return replaying.replayed();
}

class Replay {
  readonly #traffic: RecordedTraffic;
  readonly #spec: ServiceSpec;
  readonly #totals = new Map<string, TrafficCounters>();
  readonly #looks: Replayed["looks"][number][] = [];
  readonly #verdicts = new Map<string, Replayed["verdicts"][number]>();
  #trial: Trial;
  #takenBack: Replayed["takenBack"] = null;

  constructor(traffic: RecordedTraffic, spec: ServiceSpec) {
    const { baseline, before, points } = traffic;
    const known = baseline === null ? undefined : before[baseline];
    this.#traffic = traffic;
    this.#spec = spec;
    this.#trial = Trial.begin(rulesOfTrial(spec.deploy), known === undefined ? undefined : countsOf(known));
    const [first] = points;
    // Counting begins with nothing, before the first request.
    if (first !== undefined) this.#look(first.from, baseline);
  }

  /** Whether it is taken back. */
  add(point: RecordedTraffic["points"][number]): boolean {
    const { at, environments } = point;
    const tellsClients = this.#spec.traffic.affinity !== undefined;
    for (const [name, cell] of Object.entries(environments)) {
      this.#totals.set(name, plus(this.#totals.get(name) ?? NO_TRAFFIC, countersOf(cell, tellsClients)));
    }
    const stage = stageOf(point, this.#traffic);
    if (stage === null) return false;
    const baseline = stage.compared ? this.#traffic.baseline : null;
    this.#look(at, baseline);
    this.#looks.push({ at, evidence: this.#trial.evidence() });
    if ((this.#totals.get(this.#traffic.candidate)?.requests ?? 0) === 0) return false;
    for (const verdict of evaluate(this.#trial, { candidate: this.#traffic.candidate, baseline })) {
      const key = `${verdict.rule} ${verdict.outcome}`;
      const told = { ...verdict, at, step: stage.step };
      if (!this.#verdicts.has(key)) this.#verdicts.set(key, told);
      if (verdict.outcome === "rollBack") this.#takenBack ??= told;
    }
    return this.#takenBack !== null;
  }

  replayed(): Replayed {
    const { requests, failures } = this.#totals.get(this.#traffic.candidate) ?? NO_TRAFFIC;
    const verdicts = [...this.#verdicts.values()];
    return {
      looks: this.#looks,
      verdicts,
      takenBack: this.#takenBack,
      failed: failures,
      requests,
      caveats: caveatsOf(this.#traffic, this.#spec),
      grainMs: Math.max(0, ...this.#traffic.points.map(({ from, at }) => at - from)),
    };
  }

  #look(at: EpochMilliseconds, baseline: string | null): void {
    const environments = Object.fromEntries(
      [this.#traffic.candidate, ...(this.#traffic.baseline === null ? [] : [this.#traffic.baseline])].map((name) => [
        name,
        this.#totals.get(name) ?? NO_TRAFFIC,
      ]),
    );
    const { service, candidate } = this.#traffic;
    this.#trial = this.#trial.add({ service, epoch: "recorded", at, environments }, { candidate, baseline });
  }
}

/** Null: no step watched then. By the times of the steps where it was not kept: an interval that one ends in is its own. */
function stageOf({ at, clockMs = 0, step }: SeriesPoint, { stages }: RecordedTraffic): RecordedStage | null {
  if (step !== undefined) return stages.find((stage) => stage.step === step) ?? null;
  const wall = at + clockMs;
  return stages.findLast(({ from, to }) => from < wall && (to === null || wall < to + 1_000)) ?? null;
}

/** @param tellsClients whether repeated failures of a client count once, as the configuration has it */
function countersOf(cell: SeriesCell, tellsClients: boolean): TrafficCounters {
  const { requests, failures, connectFailures, latency, clients } = cell;
  return {
    ...NO_TRAFFIC,
    requests,
    failures,
    connectFailures,
    ...(tellsClients && clients !== undefined ? { clients } : {}),
    ...countsOf(latency),
  };
}

function countsOf(histogram: SparseHistogram): ReturnType<typeof latencyOf> {
  const buckets = new Float64Array(FINE_BUCKETS);
  for (const [bucket, count] of histogram) buckets[bucket] = (buckets[bucket] ?? 0) + count;
  return latencyOf(buckets);
}
