import { refuse, type Refusal, scalar, shown } from "./decode.ts";
import type { LatencyLimit } from "../model/guardrail.ts";
import type { Milliseconds } from "../model/time.ts";

const UNITS: Readonly<Record<string, Milliseconds>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)$/;
const PERCENTAGE = /^([0-9]{1,3}(?:\.[0-9]{1,9})?)%$/;
const FACTOR = /^([0-9]{1,4}(?:\.[0-9]{1,9})?)x$/;
const DURATION_FORM = "a number and a unit (ms, s, m, h, d), such as 500ms or 15m";

/** @returns whole milliseconds; null when `text` is not a duration. */
function milliseconds(text: string): Milliseconds | null {
  const [, digits, unit] = DURATION.exec(text) ?? [];
  if (digits === undefined || unit === undefined) return null;
  const exact = Number(digits) * (UNITS[unit] ?? 0);
  const whole = Math.round(exact);
  return Math.abs(exact - whole) < 1e-6 ? whole : null;
}

/** A duration between two others, both included; `0` may stand without a unit. In milliseconds. */
export function duration(least: string, most: string) {
  const [low, high] = [milliseconds(least) ?? 0, milliseconds(most) ?? 0];
  const title = `duration, ${least} to ${most}`;
  const meta =
    low === 0
      ? { title, type: ["string", "integer"], pattern: DURATION.source, minimum: 0, maximum: 0 }
      : { title, type: "string", pattern: DURATION.source };
  return scalar(meta, (value) => {
    const ms = value === 0 || value === "0" ? 0 : typeof value === "string" ? milliseconds(value) : null;
    if (ms === null) return notADuration(value);
    return ms >= low && ms <= high ? ms : refuse(`is ${shown(value)}, outside ${least} to ${most}`);
  });
}

function notADuration(value: unknown): Refusal {
  if (typeof value === "number")
    return refuse(
      `is ${shown(value)}, a duration without a unit; write for example ${String(value)}${value < 100 ? "s" : "ms"}`,
    );
  return refuse(`is ${shown(value)}, not a duration: ${DURATION_FORM}`);
}

/** A percentage above 0 and up to 100, as a fraction. */
export const percentage = scalar({ title: "percentage", type: "string", pattern: PERCENTAGE.source }, (value) => {
  const digits = typeof value === "string" ? PERCENTAGE.exec(value)?.[1] : undefined;
  if (digits === undefined) return refuse(`is ${shown(value)}, not a percentage such as 5% or 0.5%`);
  const percent = Number(digits);
  return percent > 0 && percent <= 100 ? percent / 100 : refuse(`is ${shown(value)}, outside 0% (excluded) to 100%`);
});

/** The odds of a false alarm, above 0 and up to a tenth. */
export const alpha = scalar({ title: "odds", type: "number", exclusiveMinimum: 0, maximum: 0.1 }, (value) => {
  if (typeof value !== "number" || !Number.isFinite(value))
    return refuse(`is ${shown(value)}, not a number such as 0.001`);
  return value >= 1e-9 && value <= 0.1 ? value : refuse(`is ${shown(value)}, outside 0 (excluded) to 0.1`);
});

/** A latency limit: a duration, or a multiple of what the active environment needs. */
export const latencyLimit = scalar(
  { title: "latency limit", type: "string", pattern: `${DURATION.source}|${FACTOR.source}` },
  (value): LatencyLimit | Refusal => {
    if (typeof value !== "string")
      return refuse(`is ${shown(value)}, neither a duration such as 800ms nor a factor such as 2x`);
    const digits = FACTOR.exec(value)?.[1];
    if (digits !== undefined) {
      const factor = Number(digits);
      return factor > 1 && factor <= 1000
        ? { factor }
        : refuse(`is ${value}; a factor must be above 1x and at most 1000x`);
    }
    const ms = milliseconds(value);
    if (ms === null) return refuse(`is ${shown(value)}, neither a duration such as 800ms nor a factor such as 2x`);
    return ms > 0 && ms <= 3_600_000 ? { ms } : refuse(`is ${value}, outside 1ms to 1h`);
  },
);

const SIZE = /^([0-9]{1,9}(?:\.[0-9]{1,3})?)(B|KiB|MiB|GiB|TiB)$/;
const SIZE_UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** @returns whole bytes; null when `text` is not a size. */
function bytes(text: string): number | null {
  const [, digits, unit] = SIZE.exec(text) ?? [];
  return digits === undefined || unit === undefined ? null : Math.round(Number(digits) * (SIZE_UNITS[unit] ?? 0));
}

/** A size between two others, both included, in bytes; with the word `none`, also that, for no limit. */
export function size(least: string, most: string): ReturnType<typeof scalar<number>>;
export function size(least: string, most: string, word: "none"): ReturnType<typeof scalar<number | null>>;
export function size(least: string, most: string, word?: "none") {
  const [low, high] = [bytes(least) ?? 0, bytes(most) ?? 0];
  const or = word === undefined ? "" : ` or ${word}`;
  const pattern = word === undefined ? SIZE.source : `${SIZE.source}|^${word}$`;
  return scalar({ title: `size, ${least} to ${most}${or}`, type: "string", pattern }, (value) => {
    if (word !== undefined && value === word) return null;
    const exact = typeof value === "string" ? bytes(value) : null;
    if (exact === null)
      return refuse(`is ${shown(value)}, not a size: a number and a unit (B, KiB, MiB, GiB, TiB), such as 32KiB${or}`);
    return exact >= low && exact <= high ? exact : refuse(`is ${shown(value)}, outside ${least} to ${most}`);
  });
}
