import { z } from "zod";
import { EVENT_TYPES, type NewEvent, type TealEvent } from "../../model/event.ts";
import type { EpochMilliseconds } from "../../model/time.ts";
import { data } from "../stored/shapes.ts";
import type { Database } from "./database.ts";
import { json } from "./json.ts";

const row: z.ZodType<TealEvent> = z.object({
  seq: z.int(),
  at: z.number(),
  service: z.string().nullable(),
  deployment: z.string().nullable(),
  type: z.enum(EVENT_TYPES),
  step: z.string().nullable(),
  data: json(data),
});
const numbered = z.object({ seq: z.int() });

const SELECT = "SELECT seq, at, service, deployment, type, step, data FROM events";

export function appendEvents(database: Database, given: readonly NewEvent[]): TealEvent[] {
  return given.map((event) => {
    const written = database.first(
      numbered,
      "INSERT INTO events (at, service, deployment, type, step, data) VALUES (?, ?, ?, ?, ?, ?) RETURNING seq",
      event.at,
      event.service,
      event.deployment,
      event.type,
      event.step,
      JSON.stringify(event.data),
    );
    return { ...event, seq: written?.seq ?? 0 };
  });
}

export function events(database: Database, after: number, limit: number): TealEvent[] {
  return database.all(row, `${SELECT} WHERE seq > ? ORDER BY seq LIMIT ?`, after, limit);
}

/** Of one deployment, oldest first. */
export function eventsOf(database: Database, deployment: string, after: number, limit: number): TealEvent[] {
  return database.all(row, `${SELECT} WHERE deployment = ? AND seq > ? ORDER BY seq LIMIT ?`, deployment, after, limit);
}

/** The highest number ever given, also when its event has been removed; 0 before the first. */
export function lastSeq(database: Database): number {
  return database.first(numbered, "SELECT seq FROM sqlite_sequence WHERE name = 'events'")?.seq ?? 0;
}

/** Removes the events of deployments that ended before `before`, and older ones of no deployment. */
export function pruneEvents(database: Database, before: EpochMilliseconds): void {
  database.run("DELETE FROM events WHERE deployment IN (SELECT id FROM deployments WHERE ended_at < ?)", before);
  database.run("DELETE FROM events WHERE deployment IS NULL AND at < ?", before);
}
