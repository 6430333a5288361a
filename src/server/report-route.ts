import { setImmediate as nextTurn } from "node:timers/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ReportAnswer, ReportFormat } from "../api/report-answer.ts";
import type { Control } from "../engine/control.ts";
import { CONTENT_POLICY } from "../report/html.ts";
import { markdownOf } from "../report/markdown.ts";
import { reportPage } from "../report/pages.ts";
import { reportOf } from "../report/report.ts";
import { presentReport } from "./present-report.ts";
import { formatOf, REPORT_TYPES } from "./report-format.ts";

/** A deployment's report in the format that was asked for. */
export async function answerReport(
  control: Control,
  request: FastifyRequest,
  reply: FastifyReply,
  { deployment, format }: { readonly deployment: string; readonly format: ReportFormat | undefined },
): Promise<ReportAnswer | string> {
  const record = await control.record(deployment);
  const wanted = format ?? formatOf(request.headers.accept);
  reply.type(REPORT_TYPES[wanted]).header("vary", "accept").header("x-content-type-options", "nosniff");
  if (wanted === "json") return presentReport(reportOf(record));
  if (wanted === "markdown") return markdownOf(reportOf(record));
  reply.header("content-security-policy", CONTENT_POLICY);
  return reportPage(record, () => nextTurn());
}
