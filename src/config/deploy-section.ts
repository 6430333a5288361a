import { z } from "zod";
import { ADVANCES, type GuardrailSpec, MAX_WAIT_MS } from "../model/guardrail.ts";
import type { MetricGuardrail } from "../model/metric.ts";
import { BAKE_META, bakeSection } from "./bake-section.ts";
import { guardrailsSection } from "./guardrails-section.ts";
import type { Loading } from "./loading.ts";
import { map } from "./map.ts";
import { atEndpoint, ENDPOINT } from "./metric-guardrail-section.ts";
import { probesArePossible, probesSection } from "./probes-section.ts";
import { duration } from "./quantities.ts";
import { type Finding, tolerantRule } from "./rule.ts";
import { integer, oneOf } from "./texts.ts";
import { validateSection } from "./validate-section.ts";

const shiftStep = map({
  weight: integer(1, 99).meta({ description: "Percent of the requests for the new environment." }),
  for: duration("0", "7d").meta({ description: "Time at this weight, watched by the guardrails.", examples: ["60s"] }),
}).transform(({ weight, for: forMs }) => ({ weight, forMs }));

const parts = {
  validate: validateSection.prefault({}),
  approval: oneOf(["none", "beforeShift"], "choice")
    .meta({
      description:
        "`beforeShift`: after validation the deployment waits for a person, for 24 h at most; then it is rolled back. `teal approve` lets it go on, `teal abort` rejects it.",
    })
    .prefault("none"),
  shift: z
    .array(shiftStep)
    .max(100)
    .check(tolerantRule(increasing))
    .meta({
      description:
        "Steps from the old environment to the new one; 100 at the end is implied. An empty list: straight to 100. A first release always goes straight to 100.",
    })
    .prefault([
      { weight: 10, for: "60s" },
      { weight: 50, for: "60s" },
    ]),
  advance: oneOf(ADVANCES, "choice")
    .meta({
      description:
        "What ends a step of the shift: its `time`; `evidence` that the release is not worse, as soon as that is there; or `both`. See docs/guardrails.md.",
    })
    .prefault("time"),
  maxWait: duration("1s", "7d")
    .meta({
      description:
        "With `evidence` or `both`: how long it is waited for beyond the step's time; then the deployment is taken back. 30m unless given.",
      examples: ["1h"],
    })
    .exactOptional(),
  probes: probesSection.exactOptional(),
  bake: bakeSection
    .meta({
      ...BAKE_META,
      description:
        "Time at 100 % that the guardrails go on watching, until the deployment is done. A map can keep some of the traffic on the old environment meanwhile.",
    })
    .prefault("15m"),
  keepStandby: duration("0", "365d")
    .meta({
      description: "Time that the old environment is kept running after that, so that a rollback is a mere switch.",
    })
    .prefault("24h"),
  keepReleases: integer(0, 1000)
    .meta({ description: "Releases whose files are kept beside those in use." })
    .prefault(5),
};

/** `deploy`: what a release goes through. */
export function deploySection(loading: Loading) {
  return map({ ...parts, guardrails: guardrailsSection(loading).prefault({}) })
    .check(tolerantRule(advanceIsPossible))
    .check(tolerantRule(holdbackIsPossible))
    .check(tolerantRule(probesArePossible))
    .check(tolerantRule(endpointIsThere))
    .transform(({ bake, keepStandby, advance, maxWait, guardrails, probes, ...rest }) => ({
      ...rest,
      ...(probes === undefined
        ? {}
        : {
            probes: {
              checks: probes.checks ?? rest.validate.checks,
              everyMs: probes.every,
              timeoutMs: probes.timeout,
            },
          }),
      ...(advance === "time" ? {} : { advance, maxWaitMs: maxWait ?? MAX_WAIT_MS }),
      guardrails: askingEndpoint(guardrails, rest.validate.endpoint ?? ""),
      bakeMs: bake.forMs,
      ...(bake.holdback === undefined ? {} : { bakeHoldback: bake.holdback }),
      keepStandbyMs: keepStandby,
    }))
    .meta({ description: "What a release goes through until it has all the traffic." });
}

function askingEndpoint(guardrails: GuardrailSpec, path: string): GuardrailSpec {
  const { databaseErrors, connectionPool } = guardrails;
  return {
    ...guardrails,
    ...(databaseErrors === undefined ? {} : { databaseErrors: atEndpoint(databaseErrors, path) }),
    ...(connectionPool === undefined ? {} : { connectionPool: atEndpoint(connectionPool, path) }),
  };
}

/** A rule over what the app's validation endpoint says needs one. */
function endpointIsThere(written: unknown): Finding[] {
  const { validate, guardrails } = (written ?? {}) as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  if (typeof validate?.["endpoint"] === "string") return [];
  return (["databaseErrors", "connectionPool"] as const).flatMap((key) => {
    const rule = guardrails?.[key] as MetricGuardrail | undefined;
    if (rule?.source?.settings["path"] !== ENDPOINT) return [];
    return [
      {
        at: ["guardrails", key],
        message: `reads deploy.validate.endpoint, which is not set; set it, or name a source`,
      },
    ];
  });
}

/** Evidence needs a rule, and a step that waits for it. */
function advanceIsPossible(written: unknown): Finding[] {
  const { advance, maxWait, guardrails } = (written ?? {}) as Readonly<Record<string, unknown>>;
  if (advance !== "evidence" && advance !== "both") {
    const idle = { at: ["maxWait"], message: "does nothing unless advance is evidence or both" };
    return maxWait === undefined ? [] : [idle];
  }
  const { errorRate, latency } = (guardrails ?? {}) as Readonly<Record<string, object | undefined>>;
  const rules = [...Object.keys(errorRate ?? {}), ...Object.keys(latency ?? {})];
  return rules.length > 0 ? [] : [{ at: ["advance"], message: "needs a limit in guardrails.errorRate or latency" }];
}

/** A control needs a rule that compares with it, and a shift that leaves it its share. */
function holdbackIsPossible(written: unknown): Finding[] {
  const { bake, shift, guardrails } = (written ?? {}) as Readonly<Record<string, unknown>>;
  const { holdback } = (bake ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof holdback !== "number") return [];
  const { errorRate, latency } = (guardrails ?? {}) as Readonly<Record<string, object | undefined>>;
  const rules = [...Object.keys(errorRate ?? {}), ...Object.keys(latency ?? {})];
  const last = Array.isArray(shift) ? ((shift as readonly unknown[]).at(-1) as { readonly weight?: unknown }) : null;
  const weight = last?.weight;
  return [
    ...(rules.length > 0
      ? []
      : [{ at: ["bake", "holdback"], message: "needs a limit in guardrails.errorRate or latency to compare by" }]),
    ...(typeof weight === "number" && weight > 100 - holdback
      ? [
          {
            at: ["bake", "holdback"],
            message: `leaves ${String(100 - holdback)} % for the new environment, and the shift gives it ${String(weight)} % before`,
          },
        ]
      : []),
  ];
}

function increasing(steps: unknown): Finding[] {
  let highest = 0;
  return (Array.isArray(steps) ? (steps as readonly unknown[]) : []).flatMap((step, index) => {
    const weight = typeof step === "object" && step !== null && "weight" in step ? step.weight : undefined;
    if (typeof weight !== "number" || !Number.isInteger(weight)) return [];
    const before = highest;
    highest = Math.max(highest, weight);
    return weight > before
      ? []
      : [{ at: [index, "weight"], message: `is ${String(weight)}, not above the ${String(before)} before it` }];
  });
}
