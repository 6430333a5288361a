import { z } from "zod";
import type { NoReading } from "../../../model/metric.ts";
import type { EpochMilliseconds } from "../../../model/time.ts";
import { none } from "../none.ts";

/** One number that Prometheus gave. */
export interface Sample {
  readonly value: number;
  readonly at: EpochMilliseconds;
}

/** [unix time in seconds, value as text] */
const sample = z.tuple([z.number(), z.string()]);
const answer = z.discriminatedUnion("status", [
  z.object({
    status: z.literal("success"),
    data: z.discriminatedUnion("resultType", [
      z.object({ resultType: z.literal("scalar"), result: sample }),
      z.object({ resultType: z.literal("vector"), result: z.array(z.object({ value: sample.optional() })) }),
      z.object({ resultType: z.literal("matrix") }),
      z.object({ resultType: z.literal("string") }),
    ]),
  }),
  z.object({ status: z.literal("error"), error: z.string().optional() }),
]);

/** As much of Prometheus's own explanation as is shown. */
const MOST_WORDS = 200;

/** The one number of an answer to an instant query, or why there is none. */
export function readVector(status: number, json: unknown): Sample | NoReading {
  const read = answer.safeParse(json);
  if (!read.success) return none("unreadable", `answered ${String(status)}, and not as Prometheus does`);
  const { data: said } = read;
  if (said.status === "error")
    return none("refused", `refused the query: ${(said.error ?? String(status)).slice(0, MOST_WORDS)}`);
  const { data } = said;
  if (data.resultType === "scalar") return numberOf(data.result);
  if (data.resultType !== "vector")
    return none("no-number", `the query gives a ${data.resultType}, not one number: an instant vector is needed`);
  const [first, ...others] = data.result;
  if (first === undefined)
    return none("nothing", "the query gives no series: nothing matches it, or what does is stale");
  if (others.length > 0)
    return none("several", "the query gives several series: aggregate them, for example with sum()");
  return first.value === undefined
    ? none("no-number", "the query gives a histogram, not a number")
    : numberOf(first.value);
}

/** Prometheus writes what is no number as NaN, +Inf and -Inf. */
function numberOf([seconds, text]: z.output<typeof sample>): Sample | NoReading {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) return none("no-number", `the query gives ${text}, which is no number`);
  return { value, at: Math.round(seconds * 1_000) };
}
