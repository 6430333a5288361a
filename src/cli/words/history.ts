import type { EpochMilliseconds } from "../../model/time.ts";
import type { HistoryAnswer } from "../../sdk/client.ts";
import type { Style } from "../style.ts";
import { duration, relative } from "./duration.ts";
import { cut, table, width } from "./table.ts";

type Row = HistoryAnswer["history"][number];

/** `teal history` for a person, newest first. Where it would be wider than `columns`, ids are left to `--json`. */
export function historyLines(rows: readonly Row[], now: EpochMilliseconds, style: Style, columns: number): string[] {
  if (rows.length === 0) return ["Nothing was deployed yet: `teal deploy --version V`."];
  const cells = rows.map((row) => [...cellsOf(row, now, style), style.faint(row.deployment)]);
  const lines = table([
    ["WHEN", "WHAT", "WHERE", "END", "TOOK", "BY", "REASON", "DEPLOYMENT"].map(style.faint),
    ...cells,
  ]);
  if (lines.every((line) => width(line) <= columns)) return lines;
  const heads = ["WHEN", "WHAT", "WHERE", "END", "TOOK", "BY", "REASON"].map(style.faint);
  return table([heads, ...cells.map((row) => row.slice(0, -1))]).map((line) => cut(line, columns));
}

function cellsOf(row: Row, now: EpochMilliseconds, style: Style): string[] {
  const { startedAt, endedAt, goal, version, from, to, by, reason } = row;
  return [
    startedAt === null ? "–" : relative(startedAt, now),
    `${goal}${version === null ? "" : ` ${version}`}`,
    from === null || from === to ? style.environment(to) : `${style.environment(from)} → ${style.environment(to)}`,
    stateWord(row, style),
    startedAt === null ? "–" : duration((endedAt ?? now) - startedAt),
    by,
    reason ?? "",
  ];
}

function stateWord({ state }: Row, style: Style): string {
  if (state === "completed") return style.good(state);
  return ["rolled-back", "aborted", "failed", "frozen"].includes(state) ? style.bad(state) : style.warn(state);
}
