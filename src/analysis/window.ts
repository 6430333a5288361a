import { z } from "zod";
import { TealError } from "../model/error.ts";
import type { EpochMilliseconds } from "../model/time.ts";
import type { TrafficCounters, TrafficSample } from "../model/traffic.ts";
import { isSame, later, NO_TRAFFIC, plus, since } from "./counters.ts";

export const fineLatency = z.object({ from: z.number(), counts: z.array(z.number()).readonly() });

const counters: z.ZodType<TrafficCounters> = z.object({
  requests: z.number(),
  failures: z.number(),
  classes: z.tuple([z.number(), z.number(), z.number(), z.number(), z.number()]),
  latency: z.array(z.number()),
  fineLatency: fineLatency.exactOptional(),
  clients: z.object({ failing: z.number(), repeats: z.number() }).exactOptional(),
  inFlight: z.number(),
  connectFailures: z.number(),
  retried: z.number(),
  rescued: z.number(),
  upgrades: z.number(),
});

const perEnvironment = z.record(z.string(), counters);

/** As it stands in a step's progress. Version 1 of its format; older ones are read for ever. */
export const windowState = z.object({
  format: z.literal(1),
  /** Newest cumulative reading of each epoch, the epoch seen last at the end. */
  epochs: z.array(z.object({ epoch: z.string(), last: perEnvironment })),
  total: perEnvironment,
  /** When the first reading was made, in ms since the Unix epoch; older windows do not say. */
  began: z.number().optional(),
});
export type CounterWindowState = z.output<typeof windowState>;

/** Epochs remembered: the live process's, and a few that drain beside it. */
const MOST_EPOCHS = 4;

/**
 * What has come since the window began, from cumulative readings. Immutable; as large after a year as after a second.
 *
 * The first reading is the window's beginning. Counters of an epoch that is first seen later and began after that (the
 * data plane was started anew) count from zero; those of one that lived before, and is heard of late, from its first
 * reading. The same holds for one that began while nobody watched ({@link CounterWindow.goingOnAt}). An epoch that does not say since when it counts is taken for a new one. Readings of several epochs may come in any order, as a
 * replaced proxy is still draining while its successor serves.
 */
export class CounterWindow {
  readonly #state: CounterWindowState;

  private constructor(state: CounterWindowState) {
    this.#state = state;
  }

  static readonly empty = new CounterWindow({ format: 1, epochs: [], total: {} });

  /** @throws `internal` when `value` is not what {@link toJSON} gave */
  static fromJSON(value: unknown): CounterWindow {
    const read = windowState.safeParse(value);
    if (read.success) return new CounterWindow(read.data);
    throw new TealError("internal", "the stored window of counters cannot be read", { cause: read.error });
  }

  /** Whether a first reading has come. */
  get hasBegun(): boolean {
    return this.#state.epochs.length > 0;
  }

  add(sample: TrafficSample): CounterWindow {
    const process = this.#state.epochs.find((seen) => seen.epoch === sample.epoch);
    const began = this.hasBegun ? this.#state.began : sample.at;
    const isOlder = sample.since !== undefined && began !== undefined && sample.since < began;
    const countsFromZero = process !== undefined || (this.hasBegun && !isOlder);
    const last = { ...process?.last };
    const total = { ...this.#state.total };
    for (const [environment, now] of Object.entries(sample.environments)) {
      const known = last[environment];
      if (known !== undefined && isSame(known, now)) continue;
      const before = known ?? (countsFromZero ? NO_TRAFFIC : now);
      total[environment] = plus(total[environment] ?? NO_TRAFFIC, since(before, now));
      last[environment] = later(before, now);
    }
    const others = this.#state.epochs.filter((seen) => seen.epoch !== sample.epoch);
    const epochs = [...others, { epoch: sample.epoch, last }].slice(-MOST_EPOCHS);
    return new CounterWindow({ format: 1, epochs, total, ...(began === undefined ? {} : { began }) });
  }

  /**
   * For a watch that goes on at `at`, after a time in which nobody watched: what a data plane that began in that time has
   * counted until it is first heard of belongs to the start of the machine as much as to the release.
   */
  goingOnAt(at: EpochMilliseconds): CounterWindow {
    const { began = at } = this.#state;
    return this.hasBegun ? new CounterWindow({ ...this.#state, began: Math.max(began, at) }) : this;
  }

  /** Zeros for an environment that no reading has named. */
  of(environment: string): TrafficCounters {
    return this.#state.total[environment] ?? NO_TRAFFIC;
  }

  toJSON(): CounterWindowState {
    return this.#state;
  }
}
