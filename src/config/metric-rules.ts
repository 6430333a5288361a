import type { GuardrailAction } from "../model/guardrail.ts";
import type { MetricGuardrail } from "../model/metric.ts";
import type { WrittenLimit } from "./metric-limit.ts";
import { SOURCES, type WrittenSource } from "./metric-source-section.ts";
import type { Finding } from "./rule.ts";

export type MetricRuleName = "custom" | "databaseErrors" | "connectionPool";

/** A guardrail over a metric, its parts decoded, before anybody has looked at them together. Unsound ones are left out. */
export type WrittenMetric = Readonly<
  Partial<Record<GuardrailAction, WrittenLimit | undefined>> &
    Partial<Record<(typeof SOURCES)[number], WrittenSource | undefined>> & {
      direction?: MetricGuardrail["direction"] | undefined;
      readings?: number | undefined;
    }
>;

/** From the mildest to the hardest. */
const ACTIONS = ["warn", "hold", "rollBack"] as const satisfies readonly GuardrailAction[];

/** What contradicts itself in a guardrail over a metric. */
export function metricFindings(written: WrittenMetric, name: MetricRuleName): readonly Finding[] {
  const given = SOURCES.filter((source) => written[source] !== undefined);
  const [first, ...others] = given;
  const source = first === undefined ? null : (written[first] ?? null);
  return [
    ...others.map((other) => ({ at: [other], message: `cannot stand beside ${String(first)}: a rule has one source` })),
    ...(first === undefined && name === "custom"
      ? [{ at: [], message: `names no source; write one of ${SOURCES.join(", ")}` }]
      : []),
    ...(name === "custom" && limitsOf(written).length === 0
      ? [{ at: [], message: "has no limit; write warn, hold or rollBack" }]
      : []),
    ...(name === "connectionPool" && written.rollBack !== undefined
      ? [
          {
            at: ["rollBack"],
            message: "is refused: both environments share the database, so going back would not free it; warn or hold",
          },
        ]
      : []),
    ...(source?.isShare === true ? shareFindings(written) : []),
    ...factorFindings(written, source),
    ...orderFindings(written),
  ];
}

function limitsOf(written: WrittenMetric): readonly (readonly [GuardrailAction, WrittenLimit])[] {
  return ACTIONS.flatMap((action) => {
    const limit = written[action];
    return typeof limit === "object" ? [[action, limit] as const] : [];
  });
}

/** With two counters it is a share of what was counted, which a test judges. */
function shareFindings(written: WrittenMetric): Finding[] {
  const outside = limitsOf(written).filter(
    ([, limit]) => "value" in limit && !(limit.percent && limit.value > 0 && limit.value <= 1),
  );
  return [
    ...outside.map(([action]) => ({
      at: [action],
      message: "is to be above 0% and at most 100%: with total it is a share",
    })),
    ...(written.direction === "below"
      ? [{ at: ["direction"], message: "is always above with total: count what is bad" }]
      : []),
    ...(written.readings === undefined
      ? []
      : [{ at: ["readings"], message: "does nothing with total: a share is tested, however often it is read" }]),
  ];
}

function factorFindings(written: WrittenMetric, source: WrittenSource | null): Finding[] {
  const isBelow = written.direction === "below";
  const factors = limitsOf(written).flatMap(([action, limit]) => ("factor" in limit ? [{ action, ...limit }] : []));
  return factors.flatMap(({ action, factor }) => {
    if (isBelow && factor > 1) return [{ at: [action], message: "is above 1x, but with direction: below less is bad" }];
    if (!isBelow && factor < 1)
      return [{ at: [action], message: "is below 1x; write direction: below if less is bad" }];
    if (source?.isShare === true && factor !== 2)
      return [
        { at: [action], message: "must be 2x with total: twice the active environment's share, and a point beyond" },
      ];
    // Absent where the source itself is not sound: its own problem is reported anyway.
    if (source?.perEnvironment !== false) return [];
    return [
      { at: [action], message: "compares with the active environment, but the source does not name $environment" },
    ];
  });
}

/** A limit that a harder one comes before, seen from the good side. Only limits of the same kind can be compared. */
function orderFindings(written: WrittenMetric): Finding[] {
  const sign = written.direction === "below" ? -1 : 1;
  const all = limitsOf(written).map(([action, limit]) => ({
    action,
    kind: "factor" in limit ? "x" : "",
    size: sign * ("factor" in limit ? limit.factor : limit.value),
  }));
  return all.flatMap(({ action, kind, size }, index) => {
    const passed = all.slice(index + 1).find((harder) => harder.kind === kind && size > harder.size);
    if (passed === undefined) return [];
    const side = sign === 1 ? "above" : "below";
    return [{ at: [action], message: `is ${side} ${passed.action}, so that it would never come first` }];
  });
}
