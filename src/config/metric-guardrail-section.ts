import { z } from "zod";
import type { GuardrailAction } from "../model/guardrail.ts";
import type { CustomGuardrail, MetricGuardrail, MetricLimit, MetricSettings } from "../model/metric.ts";
import { isName } from "../model/names.ts";
import { refuse, shown } from "./decode.ts";
import type { Loading } from "./loading.ts";
import { map } from "./map.ts";
import { metricLimit, type WrittenLimit } from "./metric-limit.ts";
import { metricFindings, type WrittenMetric } from "./metric-rules.ts";
import { metricSources, type WrittenSource } from "./metric-source-section.ts";
import { duration } from "./quantities.ts";
import { type Finding, rule, tolerantRule } from "./rule.ts";
import { integer, oneOf, text } from "./texts.ts";

/** Readings in a row that breach a limit, where there is nothing to be counted. */
const READINGS = 3;
/** Stands for the path of `deploy.validate.endpoint` until the whole of `deploy` is decoded. */
export const ENDPOINT = "";

type Limits = Readonly<Partial<Record<GuardrailAction, WrittenLimit>>>;

function limits(examples: Readonly<Record<GuardrailAction, unknown>>) {
  return {
    warn: metricLimit
      .meta({ description: "An event says so, and the deployment goes on.", examples: [examples.warn] })
      .exactOptional(),
    hold: metricLimit
      .meta({ description: "The step does not end while the limit is exceeded.", examples: [examples.hold] })
      .exactOptional(),
    rollBack: metricLimit
      .meta({ description: "All traffic goes back to the old environment.", examples: [examples.rollBack] })
      .exactOptional(),
  };
}

const asking = {
  every: duration("100ms", "1h").meta({ description: "Time between two readings." }).prefault("5s"),
  timeout: duration("10ms", "20s")
    .meta({ description: "A source that has not answered by then is no evidence." })
    .prefault("2s"),
  readings: integer(1, 100)
    .meta({
      description: `Readings in a row beyond a limit that breach it; ${String(READINGS)} unless given. Not for a share, which is tested.`,
      examples: [READINGS],
    })
    .exactOptional(),
};

/** `guardrails.custom`: any number that a source has. */
export function customSection(loading: Loading) {
  const item = map({
    name: text({ title: "name" }, (written) =>
      isName(written) ? written : refuse(`is ${shown(written)}; a name has letters, digits, dots, _, + and -`),
    ).meta({ description: "What events and verdicts call it.", examples: ["queue-lag"] }),
    ...metricSources(loading),
    ...limits({ warn: 30, hold: 60, rollBack: "2x" }),
    direction: oneOf(["above", "below"], "choice")
      .meta({ description: "Which side of a limit is bad." })
      .prefault("above"),
    ...asking,
  })
    .check(rule<WrittenMetric>([], (written) => metricFindings(written, "custom")))
    .transform(({ name, ...written }): CustomGuardrail => {
      const source = sourceOf(written) ?? { driver: "", settings: {}, perEnvironment: false, isShare: false };
      return { name, ...guardrailOf(written, written, written.direction, source) };
    });
  return z.array(item).max(50).check(tolerantRule(sameNames)).meta({
    description: "Rules over numbers of your own. A source that is slow, down or gives no number is no evidence.",
  });
}

/** `guardrails.databaseErrors`: of the app's own counters, or of a source's. */
export function databaseErrorsSection(loading: Loading) {
  return map({ ...limits({ warn: "0.1%", hold: "0.5%", rollBack: "1%" }), ...asking, ...metricSources(loading) })
    .check(rule<WrittenMetric>([], databaseFindings))
    .transform((written): MetricGuardrail => {
      const own = withDefaults(written, { warn: share(0.001), rollBack: share(0.01) });
      const isShare = !Object.values(own).some((limit) => "value" in limit && !limit.percent);
      const errors = { path: ENDPOINT, pointer: "/database/errors" };
      const settings: MetricSettings = isShare
        ? { ...errors, total: "/database/operations" }
        : { ...errors, counter: true };
      const source = sourceOf(written);
      if (source !== null) return guardrailOf(own, written, "above", source);
      const guardrail = guardrailOf(own, written, "above", endpoint(settings, isShare));
      return isShare ? guardrail : { ...guardrail, counting: "perMinute" };
    })
    .meta({
      description:
        "The new environment's database errors: a percentage of its database operations, or a number a minute. `database.errors` and `database.operations` of what `deploy.validate.endpoint` answers, unless a source is named. An empty map: warn at 0.1%, rollBack at 1%.",
    });
}

/** `guardrails.connectionPool`: how full it is. */
export function connectionPoolSection(loading: Loading) {
  return map({ ...limits({ warn: "80%", hold: "90%", rollBack: "95%" }), ...asking, ...metricSources(loading) })
    .check(rule<WrittenMetric>([], (written) => metricFindings(written, "connectionPool")))
    .transform((written): MetricGuardrail => {
      const own = withDefaults(written, { warn: share(0.8), hold: share(0.9) });
      const settings = { path: ENDPOINT, pointer: "/database/pool/used", of: "/database/pool/size" };
      return guardrailOf(own, written, "above", sourceOf(written) ?? endpoint(settings, false));
    })
    .meta({
      description:
        "How much of its connection pool the fullest instance uses: `database.pool.used` of `database.pool.size` of what `deploy.validate.endpoint` answers, unless a source is named. It warns or holds: both environments share the database, so `rollBack` is refused. An empty map: warn at 80%, hold at 90%.",
    });
}

/** With the path of the endpoint, now that it is known. */
export function atEndpoint<G extends MetricGuardrail>(guardrail: G, path: string): G {
  if (guardrail.source.settings["path"] !== ENDPOINT) return guardrail;
  return { ...guardrail, source: { ...guardrail.source, settings: { ...guardrail.source.settings, path } } };
}

type Written = Readonly<Partial<Record<"prometheus" | "cloudwatch" | "http", WrittenSource>>> &
  Limits & { readonly every: number; readonly timeout: number; readonly readings?: number };

function sourceOf({ prometheus, cloudwatch, http }: Written): WrittenSource | null {
  return prometheus ?? cloudwatch ?? http ?? null;
}

function guardrailOf(
  own: Limits,
  { every, timeout, readings }: Written,
  direction: MetricGuardrail["direction"],
  { isShare, ...source }: WrittenSource,
): MetricGuardrail {
  const { warn, hold, rollBack } = own;
  const worst = source.settings["path"] !== undefined && direction === "below" ? { worst: "lowest" } : {};
  return {
    source: { ...source, settings: { ...source.settings, ...worst } },
    counting: isShare ? "share" : "gauge",
    direction,
    percent: [warn, hold, rollBack].some((limit) => limit?.percent === true),
    ...(warn === undefined ? {} : { warn: bare(warn) }),
    ...(hold === undefined ? {} : { hold: bare(hold) }),
    ...(rollBack === undefined ? {} : { rollBack: bare(rollBack) }),
    everyMs: every,
    timeoutMs: timeout,
    readings: readings ?? READINGS,
  };
}

function bare(limit: WrittenLimit): MetricLimit {
  return "factor" in limit ? { factor: limit.factor } : { value: limit.value };
}

function endpoint(settings: MetricSettings, isShare: boolean): WrittenSource {
  return { driver: "http", settings, perEnvironment: true, isShare };
}

function share(value: number): WrittenLimit {
  return { value, percent: true };
}

/** The defaults stand for no limit at all, not for each that is not given. */
function withDefaults({ warn, hold, rollBack }: Written, defaults: Limits): Limits {
  if (warn === undefined && hold === undefined && rollBack === undefined) return defaults;
  return {
    ...(warn === undefined ? {} : { warn }),
    ...(hold === undefined ? {} : { hold }),
    ...(rollBack === undefined ? {} : { rollBack }),
  };
}

/** Percentages are of operations and numbers a minute: two things that are counted differently. */
function databaseFindings(written: WrittenMetric): readonly Finding[] {
  const findings = metricFindings(written, "databaseErrors");
  const hasSource = [written.prometheus, written.cloudwatch, written.http].some((source) => source !== undefined);
  if (hasSource) return findings;
  const given = (["warn", "hold", "rollBack"] as const).filter((action) => typeof written[action] === "object");
  const numbers = given.filter((action) => isNumber(written[action]));
  const mixed = numbers.length > 0 && numbers.length < given.length ? numbers : [];
  const message = "is a number a minute beside a percentage of operations: write all limits as one or the other";
  const few = numbers.length === 0 && written.readings !== undefined;
  return [
    ...findings,
    ...(numbers.length === 0 ? given.flatMap((action) => operationFindings(action, written[action])) : []),
    ...mixed.map((action) => ({ at: [action], message })),
    ...(few ? [{ at: ["readings"], message: "does nothing here: a share is tested, however often it is read" }] : []),
  ];
}

/** A share of the operations, which a test judges. */
function operationFindings(action: string, limit: WrittenLimit | undefined): readonly Finding[] {
  if (limit === undefined) return [];
  if ("value" in limit)
    return limit.value > 0 && limit.value <= 1
      ? []
      : [{ at: [action], message: "is to be above 0% and at most 100%: it is a share of the operations" }];
  return limit.factor === 2 || limit.factor < 1
    ? []
    : [{ at: [action], message: "must be 2x: twice the active environment's share, and a point beyond" }];
}

function isNumber(limit: WrittenLimit | undefined): boolean {
  return limit !== undefined && "value" in limit && !limit.percent;
}

function sameNames(list: unknown): Finding[] {
  const names = (Array.isArray(list) ? (list as readonly unknown[]) : []).map((item) =>
    typeof item === "object" && item !== null && "name" in item ? item.name : undefined,
  );
  return names.flatMap((name, index) =>
    typeof name === "string" && names.indexOf(name) !== index
      ? [{ at: [index, "name"], message: `${name} is in the list twice` }]
      : [],
  );
}
