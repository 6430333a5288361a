import type { MetricLimit } from "../model/metric.ts";
import { refuse, type Refusal, scalar, shown } from "./decode.ts";

/** A limit as written: a percentage is a fraction, and is shown as a percentage again. */
export type WrittenLimit = MetricLimit & { readonly percent: boolean };

const PERCENTAGE = /^(-?[0-9]{1,9}(?:\.[0-9]{1,9})?)%$/;
const FACTOR = /^([0-9]{1,4}(?:\.[0-9]{1,9})?)x$/;

/** A number in the metric's own unit, a percentage (0.9 for `90%`), or a multiple of the active environment's. */
export const metricLimit = scalar(
  {
    title: "number, percentage or factor",
    type: ["number", "string"],
    pattern: `${PERCENTAGE.source}|${FACTOR.source}`,
  },
  (value): WrittenLimit | Refusal => {
    if (typeof value === "number" && Number.isFinite(value)) return { value, percent: false };
    if (typeof value === "string") {
      const percent = PERCENTAGE.exec(value)?.[1];
      if (percent !== undefined) return { value: Number(percent) / 100, percent: true };
      const factor = Number(FACTOR.exec(value)?.[1] ?? Number.NaN);
      if (factor > 0 && factor !== 1 && factor <= 1000) return { factor, percent: false };
      if (!Number.isNaN(factor)) return refuse(`is ${value}; a factor is above 0x, at most 1000x, and not 1x`);
    }
    return refuse(`is ${shown(value)}, neither a number such as 100, a percentage such as 5% nor a factor such as 2x`);
  },
);
