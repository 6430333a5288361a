import { z } from "zod";
import { ADVANCES, type GuardrailSpec } from "../../model/guardrail.ts";
import type { MetricSetting, MetricSettings } from "../../model/metric.ts";
import { type ReleaseSource, type ServiceSpec, STOP_SIGNALS, type Value } from "../../model/service.ts";

const value: z.ZodType<Value> = z.union([z.string(), z.looseObject({ template: z.string(), hash: z.string() })]);
const command = z.union([z.string(), z.array(z.string())]);

const source: z.ZodType<ReleaseSource> = z.discriminatedUnion("kind", [
  z.looseObject({ kind: z.literal("dir"), dir: z.string() }),
  z.looseObject({ kind: z.literal("git"), repository: z.string(), path: z.string() }),
  z.looseObject({ kind: z.literal("tarball"), dir: z.string() }),
  z.looseObject({ kind: z.literal("none"), dir: z.string() }),
]);

const rate = z.exactOptional(z.number());
const limit = z.exactOptional(z.union([z.looseObject({ ms: z.number() }), z.looseObject({ factor: z.number() })]));
const quantile = z.exactOptional(z.looseObject({ warn: limit, hold: limit, rollBack: limit }));
const metricLimit = z.exactOptional(
  z.union([z.looseObject({ value: z.number() }), z.looseObject({ factor: z.number() })]),
);
const metricSetting: z.ZodType<MetricSetting> = z.lazy(() =>
  z.union([value, z.number(), z.boolean(), z.array(metricSettings)]),
);
const metricSettings: z.ZodType<MetricSettings> = z.lazy(() => z.record(z.string(), metricSetting));
const metric = z.looseObject({
  warn: metricLimit,
  hold: metricLimit,
  rollBack: metricLimit,
  source: z.looseObject({ driver: z.string(), settings: metricSettings, perEnvironment: z.boolean() }),
  counting: z.enum(["gauge", "share", "perMinute"]),
  direction: z.enum(["above", "below"]),
  percent: z.boolean(),
  everyMs: z.number(),
  timeoutMs: z.number(),
  readings: z.int(),
});
const guardrails: z.ZodType<GuardrailSpec> = z.looseObject({
  minRequests: z.number(),
  alpha: z.exactOptional(z.number()),
  worseThanActive: z.exactOptional(z.enum(["none", "warn", "hold", "rollBack"])),
  errorRate: z.looseObject({ warn: rate, hold: rate, rollBack: rate }),
  latency: z.looseObject({ p50: quantile, p95: quantile, p99: quantile }),
  activeUsers: z.exactOptional(z.looseObject({ warn: rate, hold: rate, windowMs: z.number() })),
  databaseErrors: z.exactOptional(metric),
  connectionPool: z.exactOptional(metric),
  custom: z.exactOptional(z.array(metric.extend({ name: z.string() }))),
});

const environment = z.looseObject({
  driver: z.string(),
  command,
  count: z.int(),
  env: z.record(z.string(), value),
  envFiles: z.array(z.looseObject({ path: z.string(), hash: z.string() })),
  stop: z.looseObject({ signal: z.enum(STOP_SIGNALS), timeoutMs: z.number() }),
  user: z.string().nullable(),
});

const health = z.looseObject({
  path: z.string(),
  status: z.int(),
  intervalMs: z.number(),
  timeoutMs: z.number(),
  healthyAfter: z.int(),
  unhealthyAfter: z.int(),
  deadlineMs: z.number(),
});

const traffic = z.looseObject({
  driver: z.string(),
  hosts: z.array(z.string()),
  paths: z.array(z.string()),
  drainMs: z.number(),
  longLivedMs: z.number(),
  onControllerLoss: z.enum(["revert", "keep"]),
  maintenance: z.exactOptional(
    z.looseObject({
      page: z.string().nullable(),
      status: z.int(),
      retryAfterMs: z.number(),
      allow: z.array(z.string()),
      hold: z.looseObject({
        deadlineMs: z.number(),
        most: z.int(),
        longestMs: z.number(),
        endsIn: z.enum(["off", "on"]),
      }),
    }),
  ),
  affinity: z.exactOptional(
    z.union([z.literal("clientAddress"), z.looseObject({ cookie: z.string() }), z.looseObject({ header: z.string() })]),
  ),
});

const check = z.looseObject({
  path: z.string(),
  status: z.int(),
  body: z.string().nullable(),
  withinMs: z.number().nullable(),
});

const deploy = z.looseObject({
  validate: z.looseObject({
    endpoint: z.string().nullable(),
    smoke: command.nullable(),
    checks: z.array(check),
    deadlineMs: z.number(),
  }),
  approval: z.enum(["none", "beforeShift"]),
  shift: z.array(z.looseObject({ weight: z.int(), forMs: z.number() })),
  advance: z.exactOptional(z.enum(ADVANCES)),
  maxWaitMs: z.exactOptional(z.number()),
  guardrails,
  probes: z.exactOptional(z.looseObject({ checks: z.array(check), everyMs: z.number(), timeoutMs: z.number() })),
  bakeMs: z.number(),
  bakeHoldback: z.exactOptional(z.int()),
  keepStandbyMs: z.number(),
  keepReleases: z.int(),
});

/** A release's frozen configuration, as it was written at its deploy. */
export const serviceSpec: z.ZodType<ServiceSpec> = z.looseObject({
  name: z.string(),
  release: source,
  environment,
  health,
  traffic,
  deploy,
  database: z.looseObject({ url: value, expand: z.string().nullable(), contract: z.string().nullable() }).nullable(),
  notify: z.array(z.looseObject({ webhook: value })),
});
