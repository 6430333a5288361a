import { scaleLinear, type ScaleLinear } from "d3-scale";
import type { Milliseconds } from "../../model/time.ts";

const UNITS = [
  { name: "s", ms: 1_000, most: 180_000 },
  { name: "min", ms: 60_000, most: 3 * 3_600_000 },
  { name: "h", ms: 3_600_000, most: 3 * 86_400_000 },
  { name: "d", ms: 86_400_000, most: Infinity },
] as const;

export interface TimeAxis {
  readonly scale: ScaleLinear<number, number>;
  readonly unit: string;
  readonly ticks: readonly { readonly at: Milliseconds; readonly label: string }[];
}

/** Round numbers of the unit that suits the span. */
export function timeAxis([from, to]: readonly [Milliseconds, Milliseconds], range: [number, number]): TimeAxis {
  const span = Math.max(1, to - from);
  const unit = UNITS.find(({ most }) => span <= most) ?? UNITS[3];
  const scale = scaleLinear([from, from + span], range);
  const inUnit = scaleLinear([from / unit.ms, (from + span) / unit.ms], range);
  const count = Math.max(2, Math.floor((range[1] - range[0]) / 80));
  const format = inUnit.tickFormat(count);
  const ticks = inUnit.ticks(count).map((value) => ({ at: value * unit.ms, label: format(value) }));
  return { scale, unit: unit.name, ticks };
}

/** From 0 to a round number that is at least `least`. */
export function valueAxis(
  { most, least, cap }: { readonly most: number; readonly least: number; readonly cap?: number | undefined },
  range: [number, number],
): { readonly scale: ScaleLinear<number, number>; readonly ticks: readonly number[] } {
  const top = Math.max(least, cap === undefined ? most : Math.min(most, cap));
  const scale = scaleLinear([0, top], range).clamp(true);
  if (cap === undefined || top < cap) scale.nice(4);
  return { scale, ticks: scale.ticks(4) };
}
