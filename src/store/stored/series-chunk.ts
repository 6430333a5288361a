import { z } from "zod";
import type { SeriesChunk } from "../../model/series.ts";

const histogram = z.array(z.tuple([z.int(), z.number()]));

/** A piece of a deployment's traffic, as it is kept; its number stands beside it. */
export const seriesChunk: z.ZodType<Omit<SeriesChunk, "number">> = z.looseObject({
  format: z.literal(1),
  deployment: z.string(),
  from: z.number(),
  before: z.exactOptional(z.record(z.string(), histogram)),
  goesOn: z.exactOptional(z.object({ counted: z.unknown(), kept: z.int(), recordedMs: z.number() })),
  points: z.array(
    z.looseObject({
      at: z.number(),
      clockMs: z.exactOptional(z.number()),
      step: z.exactOptional(z.string().nullable()),
      environments: z.record(
        z.string(),
        z.looseObject({
          requests: z.number(),
          failures: z.number(),
          connectFailures: z.number(),
          latency: histogram,
          clients: z.exactOptional(z.object({ failing: z.number(), repeats: z.number() })),
        }),
      ),
    }),
  ),
});
