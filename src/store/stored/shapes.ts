import { z } from "zod";
import type { RollbackCause } from "../../model/deployment.ts";
import type { Receipt, Weights } from "../../model/traffic.ts";

/**
 * What is kept as JSON, checked when it is read. Objects are loose: a field that a later version wrote is kept, so that
 * going back one version loses nothing. A field that is added gets a default here, as older rows do not have it.
 */
export const weights: z.ZodType<Weights> = z.record(z.string(), z.int().min(0).max(100));

/** `progress`, `result`, `input` of steps and `data` of events: their handlers know more. */
export const data: z.ZodType<Readonly<Record<string, unknown>>> = z.record(z.string(), z.unknown());

export const rollbackCause: z.ZodType<RollbackCause> = z.discriminatedUnion("kind", [
  z.looseObject({ kind: z.literal("abort"), by: z.string(), reason: z.string().nullable() }),
  z.looseObject({ kind: z.literal("verdict"), code: z.string(), message: z.string() }),
  z.looseObject({ kind: z.literal("failure"), code: z.string(), message: z.string() }),
]);

export const receipt: z.ZodType<Receipt> = z.looseObject({
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
