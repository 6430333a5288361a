import type { PlanAnswer } from "../../sdk/client.ts";
import type { Style } from "../style.ts";
import { duration } from "./duration.ts";
import { cut, table, wrap } from "./table.ts";

/** Number, both times and the blanks between: what a row needs beside its title. */
const BESIDE_TITLE = 34;

/** A plan for a person to read before saying yes; no line is wider than `columns`. */
export function planLines(plan: PlanAnswer, style: Style, columns: number): string[] {
  const { goal, service, from, to, steps, worstRollbackSeconds, warnings, changes, releases, reads = [] } = plan;
  const path =
    from === null || from === to ? style.environment(to) : `${style.environment(from)} → ${style.environment(to)}`;
  const rows = steps.map(({ title, expectedSeconds, worstSeconds }, index) => [
    style.faint(String(index + 1).padStart(3)),
    cut(title, columns - BESIDE_TITLE),
    duration(expectedSeconds * 1_000),
    style.faint(duration(worstSeconds * 1_000)),
  ]);
  const total = steps.reduce((sum, step) => sum + step.expectedSeconds, 0);
  const wayBack =
    worstRollbackSeconds === 0 ? "" : `; going back takes at most ${duration(worstRollbackSeconds * 1_000)}`;
  const facts = [
    `In all about ${duration(total * 1_000)}${wayBack}.`,
    ...changes.map(
      ({ path: where, before, after }) => `Changes ${where}: ${before ?? "not set"} → ${after ?? "not set"}`,
    ),
    ...reads.map((read) => `Reads ${read}`),
  ];
  const item = (text: string): string[] => wrap(text, columns, "  ", "    ");
  return [
    `${style.strong(service)}  ${goal}  ${goal === "retire" || releases === undefined ? "" : `${releasePath(releases)}  `}${path}`,
    "",
    ...table([["", "", style.faint("about"), style.faint("at most")], ...rows]),
    "",
    ...facts.flatMap(item),
    ...warnings.flatMap((warning) => item(`Note: ${warning}`).map(style.warn)),
    "",
  ];
}

/** `v3 → v2`; the first release comes from nothing. */
function releasePath({ from, to }: NonNullable<PlanAnswer["releases"]>): string {
  return from === null ? to : `${from} → ${to}`;
}

/** ` from v3 to v2`, for a question; empty where the server does not tell. */
export function fromTo({ releases }: PlanAnswer): string {
  if (releases === undefined) return "";
  return `${releases.from === null ? "" : ` from ${releases.from}`} to ${releases.to}`;
}
