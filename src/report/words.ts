import type { EpochMilliseconds, Milliseconds } from "../model/time.ts";

/** `40 ms`, `1.2 s`, `47 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(ms: Milliseconds): string {
  const seconds = Math.round(ms / 1_000);
  if (ms < 1_000) return `${String(Math.round(ms))} ms`;
  if (ms < 9_950) return `${String(Math.round(ms / 100) / 10)} s`;
  if (seconds < 60) return `${String(seconds)} s`;
  if (seconds < 3_600) return parts(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 2_880) return parts(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(minutes / 60);
  return parts(Math.floor(hours / 24), "d", hours % 24, "h");
}

function parts(whole: number, unit: string, rest: number, small: string): string {
  return rest === 0 ? `${String(whole)} ${unit}` : `${String(whole)} ${unit} ${String(rest)} ${small}`;
}

const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** `1,234`. */
export function count(value: number): string {
  return WHOLE.format(value);
}

/** `5 %`, `0.34 %`; null: `–`. */
export function percent(share: number | null): string {
  if (share === null) return "–";
  const value = share * 100;
  const digits = value === 0 || value >= 10 ? 1 : Math.min(4, 1 - Math.floor(Math.log10(value)));
  return `${String(Number(value.toFixed(digits)))} %`;
}

/** `1 request`, `2 requests`. */
export function many(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** `2026-11-21 02:13:14 UTC`. */
export function timestamp(at: EpochMilliseconds): string {
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
