import { z } from "zod";
import { DEPLOYMENT_STATES, GOALS } from "../../model/deployment.ts";
import type { Change, ChangeLog } from "../../model/dora.ts";
import type { EpochMilliseconds } from "../../model/time.ts";
import type { Database } from "./database.ts";
import { flag } from "./json.ts";

/** Of one service; one that changes more often is told of its newest. */
const MOST_CHANGES = 1_000;

const row: z.ZodType<Change> = z.object({
  deployment: z.string(),
  goal: z.enum(GOALS),
  state: z.enum(DEPLOYMENT_STATES),
  release: z.string().nullable(),
  touchedTraffic: flag,
  endedAt: z.number(),
  committedAt: z.number().nullable(),
  trafficAt: z.number().nullable(),
  backAt: z.number().nullable(),
});
const begun = z.object({ at: z.number() });
const active = z.object({ release: z.string().nullable() });

/** Both by index: `deployments_ended` for those of the window, `deployments_history` for the first of all. */
export function changes(database: Database, service: string, since: EpochMilliseconds): ChangeLog {
  const first = "SELECT created_at AS at FROM deployments WHERE service = ? ORDER BY position LIMIT 1";
  const newest = database.all(
    row,
    `SELECT id AS deployment, goal, state, release, touched_traffic AS touchedTraffic, ended_at AS endedAt,
       committed_at AS committedAt, traffic_at AS trafficAt, back_at AS backAt FROM deployments
     WHERE service = ? AND ended_at >= ? AND goal <> 'retire' ORDER BY ended_at DESC, position DESC LIMIT ?`,
    service,
    since,
    MOST_CHANGES + 1,
  );
  const kept = newest.slice(0, MOST_CHANGES).toReversed();
  return {
    begunAt: database.first(begun, first, service)?.at ?? null,
    before: releaseBefore(database, service, kept[0]?.endedAt ?? since),
    changes: kept,
    truncated: newest.length > MOST_CHANGES,
  };
}

function releaseBefore(database: Database, service: string, at: EpochMilliseconds): string | null {
  const found = database.first(
    active,
    `SELECT release FROM deployments WHERE service = ? AND ended_at < ? AND state = 'completed' AND goal <> 'retire'
     ORDER BY ended_at DESC LIMIT 1`,
    service,
    at,
  );
  return found?.release ?? null;
}
