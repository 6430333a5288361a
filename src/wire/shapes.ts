import { z } from "zod";
import { MAINTENANCE_MODES } from "../model/maintenance.ts";
import {
  ACCESS_LOG_TARGETS,
  DEFAULT_PROXY_SETTINGS as DEFAULTS,
  FORWARDED_FIELDS,
  type ProxySettings,
  REQUEST_ID_RULES,
  TRACEPARENT_RULES,
} from "../model/proxy-settings.ts";

/** Shapes that more than one control protocol carries. They mirror the model's types and are checked against them. */
export const weights = z.record(z.string(), z.int().min(0).max(100));

export const order = z.object({ fence: z.int().min(0), generation: z.int().min(0) });

/** A {@link RollbackCause}. */
export const rollbackCause = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("abort"), by: z.string(), reason: z.string().nullable() }),
  z.object({ kind: z.literal("verdict"), code: z.string(), message: z.string() }),
  z.object({ kind: z.literal("failure"), code: z.string(), message: z.string() }),
]);

export const split = order.extend({ weights });

export const receipt = z.object({
  service: z.string(),
  deployment: z.string().nullable(),
  generation: z.int(),
  from: weights,
  to: weights,
  at: z.number(),
  inFlight: z.int(),
  drained: z.int(),
  held: z.int(),
  retried: z.int(),
  rescued: z.int(),
  cut: z.int(),
  failed: z.int(),
  kernelRefused: z.int(),
  final: z.boolean(),
});

const counters = z.object({
  requests: z.int(),
  failures: z.int(),
  classes: z.tuple([z.int(), z.int(), z.int(), z.int(), z.int()]),
  latency: z.array(z.int()),
  inFlight: z.int(),
  connectFailures: z.int(),
  retried: z.int(),
  rescued: z.int(),
  upgrades: z.int(),
  fineLatency: z.object({ from: z.int(), counts: z.array(z.int()).readonly() }).exactOptional(),
  clients: z.object({ failing: z.int(), repeats: z.int() }).exactOptional(),
  // Older proxies do not tell these.
  held: z.int().default(0),
  ejections: z.int().default(0),
  latencySumMs: z.number().default(0),
});

export const sample = z.object({
  service: z.string(),
  epoch: z.string(),
  at: z.number(),
  environments: z.record(z.string(), counters),
  switches: z.int().default(0),
  /** Only where the table asks for it: `traffic.usersWindowMs`. */
  users: z
    .object({ window: z.int(), ms: z.number(), weights, distinct: z.record(z.string(), z.number()) })
    .exactOptional(),
  maintenance: z
    .object({
      mode: z.enum(MAINTENANCE_MODES),
      answered: z.int(),
      held: z.int(),
      released: z.int(),
      timedOut: z.int(),
      waiting: z.int(),
    })
    .exactOptional(),
});

export const maintenanceOrder = z.object({
  mode: z.enum(MAINTENANCE_MODES),
  until: z.number().nullable(),
  endsIn: z.enum(["off", "on"]),
  page: z.object({ type: z.string(), base64: z.base64() }).nullable(),
  status: z.int().min(400).max(599),
  retryAfterMs: z.number(),
  allow: z.array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])),
  deadlineMs: z.number(),
  most: z.int(),
});

export const health = z.object({
  path: z.string(),
  status: z.int(),
  intervalMs: z.number(),
  timeoutMs: z.number(),
  healthyAfter: z.int(),
  unhealthyAfter: z.int(),
  deadlineMs: z.number(),
});

export const traffic = z.object({
  driver: z.string(),
  hosts: z.array(z.string()),
  paths: z.array(z.string()),
  drainMs: z.number(),
  longLivedMs: z.number(),
  onControllerLoss: z.enum(["revert", "keep"]),
  affinity: z
    .union([z.literal("clientAddress"), z.object({ cookie: z.string() }), z.object({ header: z.string() })])
    .optional(),
  /** Absent: users are not counted. */
  usersWindowMs: z.number().optional(),
});

export const connections = z.object({
  accepted: z.int(),
  open: z.int(),
  logged: z.int(),
  dropped: z.int(),
  refused: z.record(z.string(), z.int()),
});

const ms = z.number().positive();
const timeouts = z.object({
  headMs: ms.default(DEFAULTS.timeouts.headMs),
  idleMs: ms.default(DEFAULTS.timeouts.idleMs),
  connectMs: ms.default(DEFAULTS.timeouts.connectMs),
  responseMs: ms.default(DEFAULTS.timeouts.responseMs),
  bodyMs: ms.default(DEFAULTS.timeouts.bodyMs),
  writeMs: ms.default(DEFAULTS.timeouts.writeMs),
  tunnelMs: ms.default(DEFAULTS.timeouts.tunnelMs),
});
const limits = z.object({
  headBytes: z.int().default(DEFAULTS.limits.headBytes),
  headFields: z.int().default(DEFAULTS.limits.headFields),
  bodyBytes: z.int().nullable().default(DEFAULTS.limits.bodyBytes),
  connections: z.int().default(DEFAULTS.limits.connections),
});
const accessLog = z.object({
  to: z.enum(ACCESS_LOG_TARGETS).default(DEFAULTS.accessLog.to),
  fileBytes: z.int().default(DEFAULTS.accessLog.fileBytes),
  files: z.int().default(DEFAULTS.accessLog.files),
});

/** What a record or a process from before a setting does not say is its default. */
export const proxySettings = z.object({
  trustedProxies: z.array(z.string()).default([...DEFAULTS.trustedProxies]),
  forwarded: z.enum(FORWARDED_FIELDS).default(DEFAULTS.forwarded),
  requestId: z.enum(REQUEST_ID_RULES).default(DEFAULTS.requestId),
  traceparent: z.enum(TRACEPARENT_RULES).default(DEFAULTS.traceparent),
  timeouts: timeouts.prefault({}),
  limits: limits.prefault({}),
  accessLog: accessLog.prefault({}),
  refusedLines: z.int().default(DEFAULTS.refusedLines),
}) satisfies z.ZodType<ProxySettings>;
