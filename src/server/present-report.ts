import type { ReportAnswer } from "../api/report-answer.ts";
import type { Report } from "../report/report.ts";
import { presentReceipt } from "./present.ts";

export function presentReport(report: Report): ReportAnswer {
  const { format, deployment, headline, steps, timeline, receipts, traffic, checklist, incident } = report;
  const copies = <T extends object>(items: readonly T[]): T[] => items.map((item) => ({ ...item }));
  const { before, during, after } = checklist;
  return {
    format,
    deployment: { ...deployment },
    headline,
    steps: copies(steps),
    timeline: copies(timeline),
    receipts: receipts.map(presentReceipt),
    traffic: copies(traffic),
    checklist: { before: copies(before), during: copies(during), after: copies(after) },
    incident: incident === null ? null : { ...incident },
  };
}
