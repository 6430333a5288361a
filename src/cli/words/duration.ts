import type { EpochMilliseconds, Milliseconds } from "../../model/time.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Short and exact enough: `40 ms`, `1.2 s`, `47 s`, `3 min 20 s`, `23 h`, `2 d`. */
export function duration(ms: Milliseconds): string {
  if (ms < SECOND) return `${String(Math.round(ms))} ms`;
  if (ms < 10 * SECOND) return `${String(Math.round(ms / 100) / 10)} s`;
  if (ms < MINUTE) return `${String(Math.round(ms / SECOND))} s`;
  if (ms < HOUR) return withRest(ms, MINUTE, "min", SECOND, "s");
  if (ms < 2 * DAY) return withRest(ms, HOUR, "h", MINUTE, "min");
  return `${String(Math.round(ms / DAY))} d`;
}

function withRest(ms: Milliseconds, unit: Milliseconds, name: string, small: Milliseconds, smallName: string): string {
  const whole = Math.floor(ms / unit);
  const rest = Math.floor((ms - whole * unit) / small);
  return rest === 0 ? `${String(whole)} ${name}` : `${String(whole)} ${name} ${String(rest)} ${smallName}`;
}

/** Whole seconds as a running clock: `0:07`, `12:40`, `1:02:03`. */
export function stopwatch(ms: Milliseconds): string {
  const seconds = Math.max(0, Math.floor(ms / SECOND));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}

/** `just now`, `3 min ago`, `in 23 h`: one unit is enough for a person. */
export function relative(at: EpochMilliseconds, now: EpochMilliseconds): string {
  const away = Math.abs(at - now);
  if (away < 2 * SECOND) return "just now";
  const words = coarse(away);
  return at < now ? `${words} ago` : `in ${words}`;
}

function coarse(ms: Milliseconds): string {
  if (ms < 90 * SECOND) return `${String(Math.round(ms / SECOND))} s`;
  if (ms < 90 * MINUTE) return `${String(Math.round(ms / MINUTE))} min`;
  if (ms < 2 * DAY) return `${String(Math.round(ms / HOUR))} h`;
  return `${String(Math.round(ms / DAY))} d`;
}

/** `2026-11-21T02:13:14Z`: for lines that are kept. */
export function timestamp(at: EpochMilliseconds): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

const UNITS: Readonly<Record<string, Milliseconds>> = { ms: 1, s: SECOND, m: MINUTE, h: HOUR, d: DAY };

/** Reads `500ms`, `10s`, `5m`, `24h`, `2d`, as teal.yaml writes them; null when it is none. */
export function parseDuration(text: string): Milliseconds | null {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  const factor = unit === undefined ? undefined : UNITS[unit];
  return amount === undefined || factor === undefined ? null : Number(amount) * factor;
}
