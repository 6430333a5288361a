import { z } from "zod";
import type { Approval } from "../../model/approval.ts";
import type { DeploymentState } from "../../model/deployment.ts";
import type { NewEvent } from "../../model/event.ts";
import { TealError } from "../../model/error.ts";
import type { EpochMilliseconds } from "../../model/time.ts";
import type { Approved } from "../store.ts";
import type { Database } from "./database.ts";
import { deployment } from "./deployments.ts";
import { appendEvents } from "./events.ts";

const row: z.ZodType<Approval> = z.object({ by: z.string(), reason: z.string().nullable(), at: z.number() });

/** States in which a person's yes can still matter. */
const OPEN: readonly DeploymentState[] = ["planned", "running", "waiting", "baking"];

export function approval(database: Database, id: string): Approval | null {
  return database.first(row, `SELECT given_by AS "by", reason, at FROM approvals WHERE deployment = ?`, id);
}

/** @throws `deployment-unknown`, `deployment-ended` */
export function approve(database: Database, id: string, given: Approval, events: readonly NewEvent[]): Approved {
  const before = approval(database, id);
  if (before !== null) return { kind: "repeated", approval: before };
  const current = deployment(database, id);
  if (current === null) throw new TealError("deployment-unknown", `there is no deployment ${id}`);
  if (!OPEN.includes(current.state)) throw new TealError("deployment-ended", `${id} is ${current.state}`);
  const { by, reason, at } = given;
  database.run("INSERT INTO approvals (deployment, given_by, reason, at) VALUES (?, ?, ?, ?)", id, by, reason, at);
  return { kind: "approved", events: appendEvents(database, events) };
}

/** Removes those of deployments that ended before `before`. */
export function pruneApprovals(database: Database, before: EpochMilliseconds): void {
  database.run("DELETE FROM approvals WHERE deployment IN (SELECT id FROM deployments WHERE ended_at < ?)", before);
}
