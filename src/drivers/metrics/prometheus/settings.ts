import { z } from "zod";

/** As teal.yaml's section gives them, with references resolved; see config/metric-source-section.ts. */
export const prometheusSettings = z.object({
  /** Address of the server, with the path that it is served under, if any. */
  url: z.string(),
  query: z.string(),
  /** Counts all of what `query` counts the bad ones of. */
  total: z.string().exactOptional(),
  bearer: z.string().exactOptional(),
  user: z.string().exactOptional(),
  password: z.string().exactOptional(),
});
export type PrometheusSettings = z.output<typeof prometheusSettings>;
