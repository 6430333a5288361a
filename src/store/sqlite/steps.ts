import { z } from "zod";
import { TealError } from "../../model/error.ts";
import type { Plan } from "../../model/plan.ts";
import type { EpochMilliseconds } from "../../model/time.ts";
import { plan as planShape } from "../stored/plan.ts";
import { data } from "../stored/shapes.ts";
import type { StepChange, StepRow } from "../store.ts";
import type { Database } from "./database.ts";
import { encode, json } from "./json.ts";

const row: z.ZodType<StepRow> = z.object({
  deployment: z.string(),
  position: z.int(),
  id: z.string(),
  uses: z.string(),
  title: z.string(),
  input: json(data),
  worstMs: z.number(),
  state: z.enum(["pending", "running", "done", "failed", "undoing", "undone", "skipped"]),
  attempt: z.int(),
  startedAt: z.number().nullable(),
  endedAt: z.number().nullable(),
  progress: json(data),
  result: json(data).nullable(),
});
const planRow = z.object({ plan: json(planShape) });

export function plan(database: Database, deployment: string): Plan | null {
  return database.first(planRow, "SELECT plan FROM plans WHERE deployment = ?", deployment)?.plan ?? null;
}

export function steps(database: Database, deployment: string): StepRow[] {
  return database.all(
    row,
    `SELECT deployment, position, id, uses, title, input, worst_ms AS worstMs, state, attempt,
       started_at AS startedAt, ended_at AS endedAt, progress, result
     FROM steps WHERE deployment = ? ORDER BY position`,
    deployment,
  );
}

export function putPlan(database: Database, deployment: string, given: Plan): void {
  database.run("INSERT INTO plans (deployment, plan) VALUES (?, ?)", deployment, JSON.stringify(given));
  for (const [position, step] of given.steps.entries()) {
    database.run(
      `INSERT INTO steps (deployment, position, id, uses, title, input, worst_ms, state, attempt, progress)
       VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', 0, '{}')`,
      deployment,
      position,
      step.id,
      step.uses,
      step.title,
      JSON.stringify(step.input),
      step.worstMs,
    );
  }
}

/** Changes what is given, leaves the rest. */
export function changeStep(database: Database, deployment: string, change: StepChange): void {
  const changed = database.run(
    `UPDATE steps SET state = coalesce(?, state), attempt = coalesce(?, attempt), started_at = coalesce(?, started_at),
       ended_at = coalesce(?, ended_at), progress = coalesce(?, progress), result = coalesce(?, result)
     WHERE deployment = ? AND id = ?`,
    change.state ?? null,
    change.attempt ?? null,
    change.startedAt ?? null,
    change.endedAt ?? null,
    encode(change.progress),
    encode(change.result),
    deployment,
    change.id,
  );
  if (changed === 0) throw new TealError("internal", `deployment ${deployment} has no step ${change.id}`);
}

/** Removes plans and steps of deployments that ended before `before`. */
export function prunePlans(database: Database, before: EpochMilliseconds): void {
  const ended = "(SELECT id FROM deployments WHERE ended_at < ?)";
  database.run(`DELETE FROM steps WHERE deployment IN ${ended}`, before);
  database.run(`DELETE FROM plans WHERE deployment IN ${ended}`, before);
}
