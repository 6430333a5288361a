import { z } from "zod";
import { canBecome, type Deployment, DEPLOYMENT_STATES, GOALS, isEnded } from "../../model/deployment.ts";
import { TealError } from "../../model/error.ts";
import { rollbackCause } from "../stored/shapes.ts";
import type { Transition } from "../store.ts";
import type { Database } from "./database.ts";
import { encode, flag, json } from "./json.ts";

const row: z.ZodType<Deployment> = z.object({
  id: z.string(),
  service: z.string(),
  goal: z.enum(GOALS),
  state: z.enum(DEPLOYMENT_STATES),
  from: z.string().nullable(),
  to: z.string(),
  release: z.string().nullable(),
  version: z.string().nullable(),
  touchedTraffic: flag,
  cause: json(rollbackCause).nullable(),
  by: z.string(),
  reason: z.string().nullable(),
  createdAt: z.number(),
  startedAt: z.number().nullable(),
  endedAt: z.number().nullable(),
});

const SELECT = `SELECT id, service, goal, state, from_environment AS "from", to_environment AS "to", release, version,
  touched_traffic AS touchedTraffic, cause, asked_by AS "by", reason, created_at AS createdAt, started_at AS startedAt,
  ended_at AS endedAt FROM deployments`;
/** Word for word the condition of the index `deployments_unfinished`, so that it is used. */
const UNFINISHED = "state NOT IN ('completed', 'rolled-back', 'aborted', 'failed')";

export function deployment(database: Database, id: string): Deployment | null {
  return database.first(row, `${SELECT} WHERE id = ?`, id);
}

/** Of all services, or of one. */
export function unfinished(database: Database, service: string | null): Deployment[] {
  if (service === null) return database.all(row, `${SELECT} WHERE ${UNFINISHED} ORDER BY position`);
  const one = unfinishedOf(database, service);
  return one === null ? [] : [one];
}

export function unfinishedOf(database: Database, service: string): Deployment | null {
  return database.first(row, `${SELECT} WHERE service = ? AND ${UNFINISHED}`, service);
}

export function withKey(database: Database, service: string, key: string): Deployment | null {
  return database.first(row, `${SELECT} WHERE service = ? AND idempotency_key = ?`, service, key);
}

export function history(database: Database, service: string, limit: number): Deployment[] {
  return database.all(row, `${SELECT} WHERE service = ? ORDER BY position DESC LIMIT ?`, service, limit);
}

export function insertDeployment(database: Database, given: Deployment, idempotencyKey: string | null): void {
  database.run(
    `INSERT INTO deployments (id, service, goal, state, from_environment, to_environment, release, version,
       touched_traffic, cause, asked_by, reason, created_at, started_at, ended_at, idempotency_key, committed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
       (SELECT committed_at FROM releases WHERE service = ? AND id = ?))`,
    given.id,
    given.service,
    given.goal,
    given.state,
    given.from,
    given.to,
    given.release,
    given.version,
    given.touchedTraffic ? 1 : 0,
    encode(given.cause),
    given.by,
    given.reason,
    given.createdAt,
    given.startedAt,
    given.endedAt,
    idempotencyKey,
    given.service,
    given.release,
  );
}

/** @throws `deployment-unknown`, `deployment-ended`; `internal` for a transition that the states do not allow */
export function changeDeployment(
  database: Database,
  change: Transition,
  wanted: NonNullable<Transition["deployment"]>,
): void {
  const current = deployment(database, wanted.id);
  if (current?.service !== change.service) {
    throw new TealError("deployment-unknown", `${change.service} has no deployment ${wanted.id}`);
  }
  const state = wanted.state ?? current.state;
  assertStates(current, state, wanted.state !== undefined);
  database.run(
    `UPDATE deployments SET state = ?, touched_traffic = ?, cause = coalesce(cause, ?),
       started_at = coalesce(started_at, ?), ended_at = coalesce(ended_at, ?),
       traffic_at = coalesce(traffic_at, ?), back_at = coalesce(?, back_at) WHERE id = ?`,
    state,
    current.touchedTraffic || wanted.touchedTraffic === true ? 1 : 0,
    encode(wanted.cause),
    state === "planned" ? null : change.at,
    isEnded(state) ? change.at : null,
    wanted.touchedTraffic === true && !current.touchedTraffic ? change.at : null,
    // The traffic is back before that is recorded; one that was frozen comes to it again, when it really is.
    state === "rolling-back" && current.state !== state ? change.at : null,
    wanted.id,
  );
}

function assertStates(current: Deployment, state: Deployment["state"], named: boolean): void {
  if (named && isEnded(current.state)) {
    throw new TealError("deployment-ended", `deployment ${current.id} has ended: ${current.state}`);
  }
  if (state !== current.state && !canBecome(current.state, state)) {
    throw new TealError("internal", `deployment ${current.id} is ${current.state} and cannot become ${state}`);
  }
}
