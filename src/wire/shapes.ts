import { z } from "zod";
import { MAINTENANCE_MODES } from "../model/maintenance.ts";

/** Shapes that more than one control protocol carries. They mirror the model's types and are checked against them. */
export const weights = z.record(z.string(), z.int().min(0).max(100));

export const order = z.object({ fence: z.int().min(0), generation: z.int().min(0) });

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
});
