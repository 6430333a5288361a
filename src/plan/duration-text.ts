import type { Milliseconds } from "../model/time.ts";

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
] as const;

/** In the largest unit that leaves no fraction: 90 s is `90s`, 120 s is `2m`. */
export function durationText(ms: Milliseconds): string {
  const unit = ms === 0 ? undefined : UNITS.find(([, length]) => ms % length === 0);
  return unit === undefined ? `${String(ms)}ms` : `${String(ms / unit[1])}${unit[0]}`;
}
