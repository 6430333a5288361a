import type { EpochMilliseconds } from "../../model/time.ts";
import type { HistoryAnswer } from "../../sdk/client.ts";
import { causeWords } from "../outcome.ts";
import type { Style } from "../style.ts";
import { duration, relative } from "./duration.ts";
import { cut, table, width, wrap } from "./table.ts";

type Row = HistoryAnswer["history"][number];

const HEADS = ["WHEN", "WHAT", "WHERE", "END", "TOOK", "BY", "REASON"];
const INDENT = "    ";

/**
 * `teal history` for a person, newest first; below what was taken back, why. Where it would be wider than `columns`, ids are
 * left to `--json`.
 */
export function historyLines(rows: readonly Row[], now: EpochMilliseconds, style: Style, columns: number): string[] {
  if (rows.length === 0) return ["Nothing was deployed yet: `teal deploy --version V`."];
  const cells = rows.map((row) => [...cellsOf(row, now, style), style.faint(row.deployment)]);
  const wide = table([[...HEADS, "DEPLOYMENT"].map(style.faint), ...cells]);
  const [head = "", ...lines] = wide.every((line) => width(line) <= columns)
    ? wide
    : table([HEADS.map(style.faint), ...cells.map((row) => row.slice(0, -1))]).map((line) => cut(line, columns));
  return [head, ...lines.flatMap((line, index) => [line, ...whyLines(rows[index], style, columns)])];
}

/** A guardrail's words, what a step failed of, or who aborted it and why. */
function whyLines(row: Row | undefined, style: Style, columns: number): string[] {
  const cause = row === undefined ? null : causeWords(row);
  return cause === null ? [] : wrap(cause.why, columns, INDENT, INDENT).map(style.faint);
}

function cellsOf(row: Row, now: EpochMilliseconds, style: Style): string[] {
  const { startedAt, endedAt, goal, version, from, to, by, reason, cause } = row;
  return [
    startedAt === null ? "–" : relative(startedAt, now),
    `${goal}${version === null ? "" : ` ${version}`}`,
    from === null || from === to ? style.environment(to) : `${style.environment(from)} → ${style.environment(to)}`,
    stateWord(row, style),
    startedAt === null ? "–" : duration((endedAt ?? now) - startedAt),
    by,
    // The reason of an abort stands below, with who gave it.
    cause?.kind === "abort" && cause.reason === reason ? "" : (reason ?? ""),
  ];
}

function stateWord({ state }: Row, style: Style): string {
  if (state === "completed") return style.good(state);
  return ["rolled-back", "aborted", "failed", "frozen"].includes(state) ? style.bad(state) : style.warn(state);
}
