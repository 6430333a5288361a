import { z } from "zod";
import { EVENT_TYPES, type NewEvent, type TealEvent } from "../../model/event.ts";
import { data } from "../stored/shapes.ts";
import type { Database } from "./database.ts";
import { linkOf } from "./event-chain.ts";
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
const hashed = z.object({ seq: z.int(), hash: z.instanceof(Uint8Array) });

const INSERT =
  "INSERT INTO events (seq, at, service, deployment, type, step, data, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
const SELECT = "SELECT seq, at, service, deployment, type, step, data FROM events";

/**
 * Where the chain goes on. What somebody has taken out of the tables is no reason to refuse a write: the next event is chained
 * to what is left, which does not fit, and is found by who verifies.
 */
const HEAD = `SELECT
  max(
    coalesce((SELECT seq FROM event_head), 0),
    coalesce((SELECT max(seq) FROM events), 0),
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)
  ) AS seq,
  coalesce((SELECT hash FROM event_head), zeroblob(32)) AS hash`;

/** Numbers them, chains each to the one before, and keeps the newest as the head. Only within a transaction. */
export function appendEvents(database: Database, given: readonly NewEvent[]): TealEvent[] {
  const head = given.length === 0 ? null : database.first(hashed, HEAD);
  if (head === null) return [];
  let { seq } = head;
  let hash: Uint8Array = head.hash;
  const written = given.map((event) => {
    const { at, service, deployment, type, step } = event;
    const text = JSON.stringify(event.data);
    seq += 1;
    hash = linkOf(hash, { seq, at, service, deployment, type, step, data: text });
    database.run(INSERT, seq, at, service, deployment, type, step, text, hash);
    return { ...event, seq };
  });
  database.run("UPDATE event_head SET seq = ?, hash = ?", seq, hash);
  return written;
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
