import {
  type ActiveUsersLimits,
  ALPHA,
  type GuardrailAction,
  type GuardrailSpec,
  type LatencyLimit,
} from "../model/guardrail.ts";
import type { Loading } from "./loading.ts";
import { map } from "./map.ts";
import { connectionPoolSection, customSection, databaseErrorsSection } from "./metric-guardrail-section.ts";
import { type Finding, rule } from "./rule.ts";
import { alpha, duration, latencyLimit, percentage } from "./quantities.ts";
import { integer, oneOf } from "./texts.ts";

type Limits<T> = Readonly<Partial<Record<GuardrailAction, T | undefined>>>;

/** From the mildest to the hardest: a limit never stands above the one of a harder action. */
const ACTIONS = ["warn", "hold", "rollBack"] as const satisfies readonly GuardrailAction[];
const MEANING = {
  warn: "An event says so, and the deployment goes on.",
  hold: "The step does not end while the limit is exceeded; after 30 minutes beyond its time the deployment is taken back.",
  rollBack: "All traffic goes back to the old environment.",
} as const satisfies Record<GuardrailAction, string>;

/** What an empty map warns of. */
const FEWER_USERS = 0.2;

const errorRate = map({
  warn: percentage.meta({ description: MEANING.warn, examples: ["3%"] }).exactOptional(),
  hold: percentage.meta({ description: MEANING.hold, examples: ["4%"] }).exactOptional(),
  rollBack: percentage.meta({ description: MEANING.rollBack, examples: ["5%"] }).exactOptional(),
}).check(
  rule<Limits<number>>([], (limits) =>
    ordered(limits, (rate) => (typeof rate === "number" ? { unit: "%", size: rate } : null)),
  ),
);

const latency = map({
  warn: latencyLimit.meta({ description: MEANING.warn, examples: ["1s"] }).exactOptional(),
  hold: latencyLimit.meta({ description: MEANING.hold, examples: ["1.5x"] }).exactOptional(),
  rollBack: latencyLimit.meta({ description: MEANING.rollBack, examples: ["2x"] }).exactOptional(),
}).check(rule<Limits<LatencyLimit>>([], (limits) => ordered(limits, sizeOfLimit)));

const activeUsers = map(
  {
    warn: percentage.meta({ description: MEANING.warn, examples: ["20%"] }).exactOptional(),
    hold: percentage.meta({ description: MEANING.hold, examples: ["40%"] }).exactOptional(),
    window: duration("1s", "1h")
      .meta({ description: "Users are counted anew in each window of this length." })
      .prefault("1m"),
  },
  [],
  {
    rollBack:
      "is not possible: users stay away for many reasons, so nothing is taken back by their number; hold waits for a person",
  },
)
  .check(
    rule<Limits<number>>(["warn", "hold"], (limits) =>
      ordered(limits, (rate) => (typeof rate === "number" ? { unit: "%", size: rate } : null)),
    ),
  )
  .transform(({ window: windowMs, ...limits }): ActiveUsersLimits => ({
    ...(limits.warn === undefined && limits.hold === undefined ? { warn: FEWER_USERS } : limits),
    windowMs,
  }));

const ownRules = {
  minRequests: integer(1, 1_000_000_000)
    .meta({
      description:
        "No verdict below this many requests of the new environment. The tests need no such minimum: more only delays them.",
    })
    .prefault(1),
  alpha: alpha
    .meta({
      description:
        "The odds of ever taking back a release that is within its limits, shared among the rules: 0.001 is one in a thousand such releases.",
      examples: [0.001],
    })
    .prefault(ALPHA),
  worseThanActive: oneOf(["none", "warn", "hold", "rollBack"], "choice")
    .meta({
      description:
        "For a release that fails more than twice as often as the active environment, and a point beyond. `rollBack` unless given, where errorRate has a rollBack limit; else `none`.",
    })
    .exactOptional(),
  errorRate: errorRate
    .meta({
      description:
        "Share of the new environment's requests that fail: a 5xx of an instance, or no answer after retries. An empty map: no rule.",
    })
    .prefault({ warn: "3%", rollBack: "5%" }),
  latency: map({
    p50: latency.meta({ description: "Half of the requests are faster." }).exactOptional(),
    p95: latency.meta({ description: "95 % of the requests are faster." }).exactOptional(),
    p99: latency.meta({ description: "99 % of the requests are faster." }).exactOptional(),
  })
    .meta({
      description:
        "Time to the first byte of the answer, by quantile: a duration, or a multiple (`2x`) of the active environment's. An empty map: no rule.",
    })
    .prefault({ p50: { warn: "1.5x" }, p95: { warn: "1s", rollBack: "2x" } }),
  activeUsers: activeUsers
    .meta({
      description:
        "For a release whose users stay away: how many fewer than its share of the traffic would have. Users are told apart by `traffic.affinity`. An empty map: warn at 20%.",
    })
    .exactOptional(),
};

/** `deploy.guardrails`: what takes a release back by itself. A map that is given replaces the whole default of its key. */
export function guardrailsSection(loading: Loading) {
  return map({
    ...ownRules,
    databaseErrors: databaseErrorsSection(loading).exactOptional(),
    connectionPool: connectionPoolSection(loading).exactOptional(),
    custom: customSection(loading).exactOptional(),
  })
    .transform(({ worseThanActive, ...written }): GuardrailSpec => ({
      ...written,
      worseThanActive: worseThanActive ?? (written.errorRate.rollBack === undefined ? "none" : "rollBack"),
    }))
    .meta({ description: "Limits on the new environment's metrics, watched during the shift and the bake." });
}

interface Size {
  /** Only limits of the same unit can be compared. */
  readonly unit: string;
  readonly size: number;
}

/** Fields that are not sound are left out: their own problem is reported anyway. */
function ordered<T>(limits: Limits<T>, sizeOf: (limit: unknown) => Size | null): Finding[] {
  const findings: Finding[] = [];
  for (const [index, milder] of ACTIONS.entries()) {
    const low = sizeOf(limits[milder]);
    const above = ACTIONS.slice(index + 1).find((harder) => {
      const high = sizeOf(limits[harder]);
      return low !== null && high !== null && low.unit === high.unit && low.size > high.size;
    });
    if (above !== undefined)
      findings.push({ at: [milder], message: `is above ${above}, so that it would never come first` });
  }
  return findings;
}

function sizeOfLimit(limit: unknown): Size | null {
  if (typeof limit !== "object" || limit === null) return null;
  if ("ms" in limit && typeof limit.ms === "number") return { unit: "ms", size: limit.ms };
  return "factor" in limit && typeof limit.factor === "number" ? { unit: "x", size: limit.factor } : null;
}
