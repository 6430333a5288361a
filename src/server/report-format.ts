import type { ReportFormat } from "../api/report-answer.ts";

/** Media types of a report, by its format. */
export const REPORT_TYPES = {
  json: "application/json; charset=utf-8",
  markdown: "text/markdown; charset=utf-8",
  html: "text/html; charset=utf-8",
} as const satisfies Record<ReportFormat, string>;

/** The format that `Accept` names first (weights are not looked at); JSON without one. */
export function formatOf(accept: string | undefined): ReportFormat {
  const wanted = (accept ?? "").split(",").map((part) => part.split(";", 1)[0]?.trim().toLowerCase() ?? "");
  const known = wanted.find((type) => Object.hasOwn(BY_TYPE, type));
  return known === undefined ? "json" : (BY_TYPE[known] ?? "json");
}

const BY_TYPE: Readonly<Record<string, ReportFormat>> = {
  "application/json": "json",
  "text/markdown": "markdown",
  "text/html": "html",
};
