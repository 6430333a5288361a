import { z } from "zod";
import type { NewEvent, TealEvent } from "../../model/event.ts";
import type { EpochMilliseconds } from "../../model/time.ts";
import type { Database } from "./database.ts";
import { digestOfGaps, type Gap, genesis } from "./event-chain.ts";
import { appendEvents } from "./events.ts";

const bytes = z.instanceof(Uint8Array);
const numbered = z.object({ seq: z.int() });
/** Null only where somebody has put the row in past Teal. */
const hashed = z.object({ seq: z.int(), hash: bytes.nullable().transform((hash) => hash ?? new Uint8Array(32)) });
const gap: z.ZodType<Gap> = z.object({ last: z.int(), before: bytes, after: bytes });
const began = z.object({ began_after: z.int() });
type Hashed = z.infer<typeof hashed>;

const OLD =
  "deployment IN (SELECT id FROM deployments WHERE ended_at < ?1) OR (deployment IS NULL AND at < ?1) ORDER BY seq";

/**
 * Removes the events of deployments that ended before `before`, and older ones of no deployment. What is removed is not one
 * piece, as deployments overlap: each run of removed events leaves a gap, which leads from the hash ahead of it to its last.
 * `event` is written with it, and binds the gaps into the chain, so that removing an event by hand, and writing a gap for it,
 * takes a new chain from the last pruning on, or one more event for all to see. All in the caller's transaction.
 */
export function pruneEvents(database: Database, before: EpochMilliseconds, event: NewEvent): TealEvent[] {
  const old = database.all(hashed, `SELECT seq, hash FROM events WHERE ${OLD}`, before);
  if (old.length === 0) return [];
  for (const { seq } of old) database.run("DELETE FROM events WHERE seq = ?", seq);
  for (let from = 0; from < old.length;) from = bridge(database, old, from);
  const gaps = digestOfGaps(database.all(gap, "SELECT last, before, after FROM event_gaps ORDER BY last"));
  return appendEvents(database, [{ ...event, data: { ...event.data, events: old.length, gaps } }]);
}

/** One gap for what was removed between two events that are left, the gaps there included; where the next run begins. */
function bridge(database: Database, old: readonly Hashed[], from: number): number {
  const first = old[from]?.seq ?? 0;
  const next = database.first(numbered, "SELECT seq FROM events WHERE seq > ? ORDER BY seq LIMIT 1", first);
  const end = next?.seq ?? Number.MAX_SAFE_INTEGER;
  const ahead = database.first(hashed, "SELECT seq, hash FROM events WHERE seq < ? ORDER BY seq DESC LIMIT 1", first);
  const [start, before] = [ahead?.seq ?? Number.MIN_SAFE_INTEGER, ahead?.hash ?? beginning(database)];
  let [to, removed] = [from, { seq: first, hash: before }];
  for (let each = old[to]; each !== undefined && each.seq < end; each = old[to]) [to, removed] = [to + 1, each];
  const within = "FROM event_gaps WHERE last > ? AND last < ?";
  const newest = database.all(gap, `SELECT last, before, after ${within} ORDER BY last`, start, end).at(-1);
  const { seq, hash } =
    newest !== undefined && newest.last > removed.seq ? { seq: newest.last, hash: newest.after } : removed;
  database.run(`DELETE ${within}`, start, end);
  database.run("INSERT INTO event_gaps (last, before, after) VALUES (?, ?, ?)", seq, before, hash);
  return to;
}

function beginning(database: Database): Uint8Array {
  return genesis(database.first(began, "SELECT began_after FROM event_head")?.began_after ?? 0);
}
