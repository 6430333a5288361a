import { z } from "zod";
import { DEPLOYMENT_STATES, GOALS } from "../model/deployment.ts";
import { receipt } from "./answers.ts";

const at = z.number().meta({ description: "Milliseconds since the Unix epoch" });
const ms = z.number().nullable();
const checks = z.array(
  z.object({
    question: z.string(),
    answer: z.enum(["yes", "no", "unknown", "not-asked"]).meta({ description: "`unknown`: only people know" }),
    detail: z.string(),
  }),
);

/** What became of a deployment. */
export const report = z
  .object({
    format: z.literal(1),
    deployment: z.object({
      id: z.string(),
      service: z.string(),
      goal: z.enum(GOALS),
      state: z.enum(DEPLOYMENT_STATES),
      from: z.string().nullable(),
      to: z.string(),
      release: z.string().nullable(),
      version: z.string().nullable(),
      by: z.string(),
      reason: z.string().nullable(),
      createdAt: at,
      startedAt: at.nullable(),
      endedAt: at.nullable(),
    }),
    headline: z.string(),
    steps: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        state: z.enum(["pending", "running", "done", "failed", "undoing", "undone", "skipped"]),
        startedAt: at.nullable(),
        endedAt: at.nullable(),
      }),
    ),
    timeline: z.array(z.object({ at, step: z.string().nullable(), text: z.string() })),
    receipts: z.array(receipt),
    traffic: z
      .array(
        z.object({
          environment: z.string(),
          requests: z.int(),
          failures: z.int(),
          p50Ms: ms,
          p95Ms: ms,
          p99Ms: ms,
        }),
      )
      .meta({ description: "From the first shift to the end, as far as it is kept" }),
    checklist: z.object({ before: checks, during: checks, after: checks }),
    incident: z
      .object({
        kind: z.enum(["abort", "verdict", "failure"]),
        seen: z.string(),
        decidedAt: at.nullable(),
        exposedMs: ms.meta({ description: "From its first traffic to the decision" }),
        backAt: at.nullable(),
        backTookMs: ms,
        requests: z.int().nullable(),
        failures: z.int().nullable().meta({ description: "Failed requests of the new release" }),
      })
      .nullable()
      .meta({ description: "Null: it was not taken back" }),
  })
  .meta({ id: "Report" });
export type ReportAnswer = z.output<typeof report>;

export const REPORT_FORMATS = ["json", "markdown", "html"] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

export const reportQuery = z.object({
  format: z
    .enum(REPORT_FORMATS)
    .optional()
    .meta({ description: "Absent: what `Accept` asks for first, of JSON, Markdown and HTML; JSON without any" }),
});
