import { z } from "zod";

/** As teal.yaml's section gives them, with references resolved; see config/metric-source-section.ts. */
export const httpSettings = z
  .object({
    /** Either an address, or a path that each ready instance of the environment is asked for. */
    url: z.string().exactOptional(),
    path: z.string().exactOptional(),
    pointer: z.string(),
    /** A gauge is divided by this one. */
    of: z.string().exactOptional(),
    /** Makes `pointer` a counter of what was bad, and this one of all. */
    total: z.string().exactOptional(),
    /** `pointer` is a counter, with nobody who counts all. */
    counter: z.boolean().exactOptional(),
    /** Of several instances' gauges, which one counts. */
    worst: z.enum(["highest", "lowest"]).exactOptional(),
    bearer: z.string().exactOptional(),
    user: z.string().exactOptional(),
    password: z.string().exactOptional(),
  })
  .refine(({ url, path }) => (url === undefined) !== (path === undefined));
export type HttpSettings = z.output<typeof httpSettings>;
