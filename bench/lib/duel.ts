import type { Milliseconds } from "../../src/model/time.ts";
import { percentile, rounded } from "./options.ts";
import type { Program } from "./program.ts";
import { wrk, type WrkResult } from "./wrk.ts";

/** A proxy in front of the same upstream as the others. */
export interface Contestant {
  readonly name: string;
  readonly url: string;
  readonly program: Program;
}

export interface DuelCase {
  readonly name: string;
  readonly path: string;
  readonly connections: number;
  readonly script?: string;
}

export interface DuelLength {
  readonly rounds: number;
  readonly sliceMs: Milliseconds;
  /** Of the load generator. */
  readonly cpu: number;
}

/** One row of the benchmark's result; medians of the rounds. */
export interface DuelRow {
  readonly case: string;
  readonly proxy: string;
  readonly cpuUsPerRequest: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Slice extends WrkResult {
  readonly cpuUs: number;
}

export interface DuelResult {
  readonly rows: readonly DuelRow[];
  /** First contestant ÷ the other, in CPU per request: the median of the rounds' own ratios. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly errors: number;
}

/**
 * Loads the contestants in turn, round by round, so that what slows the machine for a while slows all of them, and
 * compares within rounds.
 */
export async function duel(
  test: DuelCase,
  contestants: readonly Contestant[],
  length: DuelLength,
): Promise<DuelResult> {
  const slices = new Map<string, Slice[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < length.rounds; round += 1) {
    // Who comes first changes: the one after 1 MB answers finds other caches than the one after it.
    const order = contestants.map((_, i) => contestants[(i + round) % contestants.length] ?? contestants[0]);
    for (const one of order) if (one !== undefined) slices.get(one.name)?.push(await slice(test, one, length));
  }
  const of = (name: string): readonly Slice[] => slices.get(name) ?? [];
  const [first, ...others] = contestants;
  const own = of(first?.name ?? "");
  const ratio = (name: string): number =>
    median(of(name).map(({ cpuUs }, round) => (own[round]?.cpuUs ?? Number.NaN) / cpuUs));
  return {
    rows: contestants.map(({ name }) => row(test.name, name, of(name))),
    ratios: Object.fromEntries(others.map(({ name }) => [name, rounded(ratio(name), 3)])),
    errors: [...slices.values()].flat().reduce((sum, { errors }) => sum + errors, 0),
  };
}

/** On a crowded machine wrk may hardly have begun when it is told to end; then it gets more time. */
const LONGER = 4;

/** One contestant under load for a while. @throws when it answered hardly anything, or wrongly */
export async function slice(test: DuelCase, contestant: Contestant, length: DuelLength): Promise<Slice> {
  try {
    const first = await loaded(test, contestant, length);
    const enough = first ?? (await loaded(test, contestant, { ...length, sliceMs: length.sliceMs * LONGER }));
    if (enough === null) throw new Error("hardly a request was answered");
    return enough;
  } catch (cause) {
    throw new Error(`${test.name} through ${contestant.name} went wrong`, { cause });
  }
}

/** Null when there is less than one answer per connection. */
async function loaded(test: DuelCase, { url, program }: Contestant, length: DuelLength): Promise<Slice | null> {
  const { path, connections, script } = test;
  const before = program.cpuMs();
  const load = { url: `${url}${path}`, connections, durationMs: length.sliceMs, cpu: length.cpu };
  const result = await wrk({ ...load, ...(script === undefined ? {} : { script }) });
  const cpuUs = (program.cpuMs() - before) * 1_000;
  return result.requests < connections ? null : { ...result, cpuUs: cpuUs / result.requests };
}

function row(test: string, proxy: string, slices: readonly Slice[]): DuelRow {
  const of = (key: "cpuUs" | "requestsPerSecond" | "p50Ms" | "p99Ms", digits: number): number =>
    rounded(median(slices.map((one) => one[key])), digits);
  return {
    case: test,
    proxy,
    cpuUsPerRequest: of("cpuUs", 1),
    requestsPerSecond: of("requestsPerSecond", 0),
    p50Ms: of("p50Ms", 2),
    p99Ms: of("p99Ms", 2),
  };
}

function median(values: readonly number[]): number {
  return percentile(values, 50);
}
