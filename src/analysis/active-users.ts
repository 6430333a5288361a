import { z } from "zod";
import { TealError } from "../model/error.ts";
import { ALPHA, type GuardrailSpec } from "../model/guardrail.ts";
import { DISTINCT_ERROR, type TrafficSample, type UsersWindow } from "../model/traffic.ts";
import { divergence } from "./common.ts";
import { formatCount, formatMilliseconds, formatRate } from "./format.ts";
import type { RuleVerdict, Subjects } from "./verdict.ts";

const ACTIONS = ["hold", "warn"] as const;

/** Three standard deviations of a count, against the verdict in question. */
const DOUBT = 3 * DISTINCT_ERROR;
/** The odds of saying of a drop beyond the limit that there is none. */
const WITHIN = 0.05;
/** While a proxy is being replaced two tell of their windows in turn; of more than these, the one unheard for longest goes. */
const MOST_EPOCHS = 8;
/** A window from before is compared with one that is as long, give or take a few of the data plane's ticks. */
const SAME_LENGTH = 0.05;

const comparison = z.object({
  candidate: z.number(),
  other: z.number(),
  /** What the new environment's users are of both, when none have left. */
  share: z.number(),
  /** Whether the others came before the deployment. */
  isMemory: z.boolean(),
  ms: z.number(),
});
type Comparison = z.output<typeof comparison>;

/** As it stands in a step's progress. Version 1 of its format; older ones are read for ever. */
const usersState = z.object({
  format: z.literal(1),
  /** Epoch and number of the window that was told last. */
  last: z.string().nullable(),
  /** By data plane, the newest window; who told last stands last. Older ones have that of `last` alone. */
  seen: z.array(z.object({ epoch: z.string(), window: z.number() })).exactOptional(),
  /** Of the newest window before the new environment had traffic. */
  before: z.object({ distinct: z.number(), ms: z.number() }).nullable(),
  /** Windows that were judged. */
  windows: z.number(),
  newest: comparison.nullable(),
  convicted: z.array(z.enum(ACTIONS)),
});
type UsersState = z.output<typeof usersState>;

/**
 * Whether fewer users come to the new environment than its share of the traffic would have, by the distinct keys of whole
 * windows in which the split did not change.
 *
 * Assumption: users of both environments come as often as each other, but for the limit: of n in a window, the new one's
 * are at least binomial with p = s(1-x) / (s(1-x) + 1-s), for its share s and a drop x. A key's hash chooses its side, so
 * this holds of one window; the same users come in the next, so windows are not added up.
 * Guarantee: with fewer gone than x, it is ever said that more are gone with a probability of at most α: the k-th window is
 * tested at α/(k(k+1)), by Chernoff's bound, with the counts' own error against the verdict. Compared with users from
 * before the deployment, the assumption is a guess: that as many would have come.
 */
export class ActiveUsers {
  readonly #limits: NonNullable<GuardrailSpec["activeUsers"]>;
  readonly #alpha: number;
  readonly #state: UsersState;

  private constructor(spec: GuardrailSpec, limits: NonNullable<GuardrailSpec["activeUsers"]>, state: UsersState) {
    this.#limits = limits;
    this.#alpha = spec.alpha ?? ALPHA;
    this.#state = state;
  }

  /** Null: there is no such rule. `stored`: what {@link toJSON} gave, or undefined. @throws `internal` when it is not that */
  static of(spec: GuardrailSpec, stored: unknown): ActiveUsers | null {
    const { activeUsers } = spec;
    if (activeUsers === undefined) return null;
    const none: UsersState = { format: 1, last: null, before: null, windows: 0, newest: null, convicted: [] };
    const read = usersState.safeParse(stored ?? none);
    if (!read.success)
      throw new TealError("internal", "the stored count of users cannot be read", { cause: read.error });
    return new ActiveUsers(spec, activeUsers, read.data);
  }

  add({ epoch, users }: Pick<TrafficSample, "epoch" | "users">, subjects: Subjects): ActiveUsers {
    if (users === undefined) return this;
    const known = seenBy(this.#state);
    const own = known.find((one) => one.epoch === epoch);
    if (own !== undefined && users.window <= own.window) return this;
    const seen = [...known.filter((one) => one !== own), { epoch, window: users.window }].slice(-MOST_EPOCHS);
    const told = { last: `${epoch}/${String(users.window)}`, seen };
    if ((users.weights[subjects.candidate] ?? 0) === 0) return this.#with({ ...told, before: beforeOf(users) });
    const newest = compared(users, subjects, this.#state.before);
    if (newest === null) return this.#with({ ...told, newest });
    const windows = this.#state.windows + 1;
    const needed = Math.log((windows * (windows + 1)) / this.#alpha);
    const convicted = ACTIONS.filter((action) => {
      const limit = this.#limits[action];
      if (limit === undefined) return false;
      const stood = this.#state.convicted.includes(action) && dropOf(newest) > limit;
      return stood || weight(newest, limit, 1 + DOUBT, "fewer") >= needed;
    });
    return this.#with({ ...told, newest, windows, convicted });
  }

  verdict({ candidate, baseline }: Subjects): RuleVerdict | null {
    const { newest, convicted } = this.#state;
    const observed = newest === null ? null : dropOf(newest);
    const none = { rule: "activeUsers", observed, limit: null, breached: null, lacking: null } as const;
    if (newest === null) {
      const message = `not enough evidence: no whole window of ${formatMilliseconds(this.#limits.windowMs)} in which users of ${candidate} could be compared`;
      return { ...none, outcome: "not-enough-evidence", requests: 0, lacking: "baseline", message };
    }
    const requests = Math.round(newest.candidate);
    const says = sayUsers(newest, candidate, baseline);
    const action = ACTIONS.find((one) => convicted.includes(one));
    const limit = action === undefined ? (this.#limits.warn ?? this.#limits.hold ?? 1) : (this.#limits[action] ?? 1);
    const text = `${says}; the limit is ${formatRate(limit)}`;
    if (action !== undefined) {
      const message = `${text}; the odds that this is chance: below 1 in ${formatCount(Math.floor(1 / this.#alpha))}`;
      return { ...none, outcome: action, breached: action, limit, requests, message };
    }
    if (weight(newest, limit, 1 - DOUBT, "more") >= Math.log(1 / WITHIN))
      return { ...none, outcome: "within", limit, requests, message: text };
    const message = `not enough evidence: ${text}`;
    return { ...none, outcome: "not-enough-evidence", requests, lacking: "candidate", message };
  }

  toJSON(): UsersState {
    return this.#state;
  }

  #with(change: Partial<UsersState>): ActiveUsers {
    const spec: GuardrailSpec = { minRequests: 1, errorRate: {}, latency: {}, alpha: this.#alpha };
    return new ActiveUsers(spec, this.#limits, { ...this.#state, ...change });
  }
}

function seenBy({ seen, last }: UsersState): NonNullable<UsersState["seen"]> {
  if (seen !== undefined || last === null) return seen ?? [];
  const border = last.lastIndexOf("/");
  return [{ epoch: last.slice(0, border), window: Number(last.slice(border + 1)) }];
}

/** What came to the environment that had all the traffic; null where more than one had some. */
function beforeOf({ weights, distinct, ms }: UsersWindow): UsersState["before"] {
  const whole = Object.keys(weights).find((name) => weights[name] === 100);
  return whole === undefined ? null : { distinct: distinct[whole] ?? 0, ms };
}

function compared(
  { weights, distinct, ms }: UsersWindow,
  { candidate, baseline }: Subjects,
  before: UsersState["before"],
): Comparison | null {
  const ours = { candidate: distinct[candidate] ?? 0, ms };
  const weightOf = (name: string): number => weights[name] ?? 0;
  if (baseline !== null && weightOf(baseline) > 0) {
    const share = weightOf(candidate) / (weightOf(candidate) + weightOf(baseline));
    return { ...ours, other: distinct[baseline] ?? 0, share, isMemory: false };
  }
  if (before === null || weightOf(candidate) !== 100 || Math.abs(ms - before.ms) > SAME_LENGTH * before.ms) return null;
  return { ...ours, other: before.distinct, share: 0.5, isMemory: true };
}

/** The share of its users that the new environment lacks; below 0 when it has more than its part. */
function dropOf({ candidate, other, share }: Comparison): number {
  return other === 0 ? 0 : 1 - candidate / share / (other / (1 - share));
}

/**
 * How much a window says for a drop above the limit (`fewer`) or below it (`more`): Chernoff's bound on its odds else, as
 * a negative logarithm; 0 for nothing. `doubt` multiplies our count, and divides the others'.
 */
function weight({ candidate, other, share }: Comparison, limit: number, doubt: number, side: "fewer" | "more"): number {
  const [ours, theirs] = [candidate * doubt, other / doubt];
  const n = ours + theirs;
  if (n === 0) return 0;
  const p = (share * (1 - limit)) / (share * (1 - limit) + 1 - share);
  const isOnSide = side === "fewer" ? ours / n < p : ours / n > p;
  // A limit of 100 % is exceeded by nobody at all.
  if (!isOnSide || p <= 0) return side === "more" && isOnSide ? Infinity : 0;
  return n * divergence(ours / n, p);
}

/** `users of green in 60 s: about 410 at 10 % of the traffic, of blue 4,900 at 90 %: 25 % fewer`. */
function sayUsers(seen: Comparison, candidate: string, baseline: string | null): string {
  const { other, share, isMemory, ms } = seen;
  const [ours, theirs] = [formatCount(Math.round(seen.candidate)), formatCount(Math.round(other))];
  const drop = dropOf(seen);
  const more = `${formatRate(Math.abs(drop))} ${drop < 0 ? "more" : "fewer"}`;
  const window = `users of ${candidate} in ${formatMilliseconds(Math.round(ms))}: about ${ours}`;
  if (isMemory) return `${window}, before the deployment ${theirs}: ${more}`;
  return `${window} for ${formatRate(share)} of both, of ${String(baseline)} ${theirs}: ${more} than that`;
}
