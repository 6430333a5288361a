import type { DatabaseSync } from "node:sqlite";
import { type ChainedRow, genesis, linkOf } from "./event-chain.ts";

const PAGE = 1_000;

/**
 * Chains the events that are there already, as they are found: whether somebody had changed one before, no hash made now can
 * tell, so `began_after` keeps how far they go, within what is hashed. They are hashed all the same, for what is done to them
 * from now on. That takes about a second and as much room in the log as the events themselves for 100,000 of them, once; there
 * are no more than those of 90 days.
 *
 * Where numbers are missing, they were pruned without leaving a hash, and the chain goes on across: `before` is `after`.
 */
export function beginChain(database: DatabaseSync): void {
  const given = Number(database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'events'").get()?.["seq"] ?? 0);
  const page = database.prepare(
    "SELECT seq, at, service, deployment, type, step, data FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
  );
  const chain = database.prepare("UPDATE events SET hash = ? WHERE seq = ?");
  const bridge = database.prepare("INSERT INTO event_gaps (last, before, after) VALUES (?, ?, ?)");
  let [seq, hash] = [0, genesis(given)];
  const upTo = (next: number): void => {
    if (next > seq + 1) bridge.run(next - 1, hash, hash);
  };
  for (;;) {
    const rows = page.all(seq, PAGE).map(chainedRow);
    for (const row of rows) {
      upTo(row.seq);
      [seq, hash] = [row.seq, linkOf(hash, row)];
      chain.run(hash, seq);
    }
    if (rows.length < PAGE) break;
  }
  upTo(given + 1);
  database
    .prepare("INSERT INTO event_head (id, seq, hash, began_after) VALUES (1, ?, ?, ?)")
    .run(Math.max(seq, given), hash, given);
}

/** A row of a STRICT table: its columns are of these types. */
export function chainedRow(row: Readonly<Record<string, unknown>>): ChainedRow {
  const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
  return {
    seq: Number(row["seq"]),
    at: Number(row["at"]),
    service: text(row["service"]),
    deployment: text(row["deployment"]),
    type: String(row["type"]),
    step: text(row["step"]),
    data: String(row["data"]),
  };
}
