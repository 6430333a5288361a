import type { Milliseconds } from "../model/time.ts";

/** A share for a person: `20.3 %`; small ones keep two digits that say something: `0.034 %`. */
export function formatRate(rate: number): string {
  const percent = rate * 100;
  if (percent === 0) return "0 %";
  const digits = percent >= 1 ? 1 : Math.min(6, 1 - Math.floor(Math.log10(percent)));
  return `${String(Number(percent.toFixed(digits)))} %`;
}

/** A duration for a person: `3.2 ms`, `240 ms`, `1.25 s`. */
export function formatMilliseconds(ms: Milliseconds): string {
  if (ms >= 1_000) return `${String(Number((ms / 1_000).toFixed(2)))} s`;
  return `${String(Number(ms.toFixed(ms < 10 ? 1 : 0)))} ms`;
}

/** Made once: this is the costly part. */
const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** A whole number for a person: `1,000`. */
export function formatCount(count: number): string {
  return WHOLE.format(count);
}
