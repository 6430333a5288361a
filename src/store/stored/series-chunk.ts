import { z } from "zod";
import type { SeriesChunk } from "../../model/series.ts";

const histogram = z.array(z.tuple([z.int(), z.number()]));

/** A piece of a deployment's traffic, as it is kept. */
export const seriesChunk: z.ZodType<SeriesChunk> = z.looseObject({
  format: z.literal(1),
  deployment: z.string(),
  from: z.number(),
  before: z.exactOptional(z.record(z.string(), histogram)),
  points: z.array(
    z.looseObject({
      at: z.number(),
      environments: z.record(
        z.string(),
        z.looseObject({ requests: z.number(), failures: z.number(), connectFailures: z.number(), latency: histogram }),
      ),
    }),
  ),
});
