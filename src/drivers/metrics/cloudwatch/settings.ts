import { z } from "zod";

/** As teal.yaml's section gives them, with references resolved; see config/metric-source-section.ts. */
export const cloudWatchSettings = z.object({
  /** Absent: as the AWS environment and profile say. */
  region: z.string().exactOptional(),
  namespace: z.string(),
  metric: z.string(),
  dimensions: z.array(z.object({ name: z.string(), value: z.string() })).prefault([]),
  /** `Average`, `Sum`, `p99`, … */
  statistic: z.string(),
  periodMs: z.number(),
});
export type CloudWatchSettings = z.output<typeof cloudWatchSettings>;
