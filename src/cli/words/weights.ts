import { TealError } from "../../model/error.ts";
import { isName } from "../../model/names.ts";
import { type Weights, weightsProblem } from "../../model/traffic.ts";
import type { Style } from "../style.ts";

const REMEDY = "Give whole percents that sum to 100, such as blue=90,green=10.";

/** `blue 90 %, green 10 %`; environments without traffic are left out. */
export function split(weights: Weights): string {
  const parts = Object.entries(weights).filter(([, weight]) => weight > 0);
  return parts.length === 0 ? "nowhere" : parts.map(([name, weight]) => `${name} ${String(weight)} %`).join(", ");
}

/**
 * Weights as they are typed: `blue=90,green=10`.
 * @throws `usage` saying which part is wrong, or that they do not sum to 100
 */
export function parseSplit(text: string): Weights {
  const weights = new Map<string, number>();
  for (const part of text.split(",")) {
    const [, name = "", percent = ""] = /^([^=]+)=(\d{1,3})%?$/.exec(part.trim()) ?? [];
    if (!isName(name)) throw new TealError("usage", `${part.trim() || "nothing"} is no weight`, { remedy: REMEDY });
    if (weights.has(name)) throw new TealError("usage", `${name} is named twice`, { remedy: REMEDY });
    weights.set(name, Number(percent));
  }
  const parsed = Object.fromEntries(weights);
  const problem = weightsProblem(parsed);
  if (problem !== null) throw new TealError("usage", problem, { remedy: REMEDY });
  return parsed;
}

/** `█████░░░░░` for one environment's share. */
export function bar(weight: number, columns: number, paint: (text: string) => string, style: Style): string {
  const full = weight > 0 ? Math.max(1, Math.round((weight / 100) * columns)) : 0;
  return paint("█".repeat(full)) + style.faint("░".repeat(columns - full));
}

/** One bar for the whole split, each environment in its colour: `blue 90 % ████████████▓ green 10 %`. */
export function splitBar(weights: Weights, columns: number, style: Style): string {
  const entries = Object.entries(weights);
  if (entries.length === 0) return "";
  const shares = entries.map(([name, weight]) => ({
    name,
    cells: weight > 0 ? Math.max(1, Math.round((weight / 100) * columns)) : 0,
  }));
  const excess = shares.reduce((sum, share) => sum + share.cells, 0) - columns;
  const largest = shares.reduce((a, b) => (b.cells > a.cells ? b : a));
  largest.cells -= excess;
  const marks = ["█", "▓", "▒", "░"];
  const bars = shares.map(({ name, cells }, index) =>
    style.environment(name, (marks[index % marks.length] ?? "█").repeat(cells)),
  );
  const labels = entries.map(([name, weight]) => style.environment(name, `${name} ${String(weight)} %`));
  const [first = "", ...others] = labels;
  return `${first} ${bars.join("")} ${others.join(" ")}`.trimEnd();
}
