import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { APPLICATION_ID, MIGRATIONS } from "../../store/sqlite/schema.ts";
import type { EventHead } from "../../store/sqlite/verify-events.ts";
import { type Finding, ok, problem } from "./finding.ts";
import { journal } from "./journal.ts";

export interface StoredService {
  readonly service: string;
  readonly fence: number;
  readonly generation: number;
}

export interface StoreView {
  readonly findings: readonly Finding[];
  readonly services: readonly StoredService[];
  /** When the newest event was written. */
  readonly lastEventAt: number | null;
}

const RESTORE = "`teal down`, keep teal.db for whoever looks into it, and put back a backup (docs/operations.md).";

/** Reads the store beside whoever uses it; changes nothing. `noted`: an event's hash that somebody has kept elsewhere. */
export async function store(file: string, signal: AbortSignal, noted: EventHead | null): Promise<StoreView> {
  if (!existsSync(file)) return { findings: [ok("store", "none yet")], services: [], lastEventAt: null };
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
    return await read(database, signal, noted);
  } catch (thrown) {
    signal.throwIfAborted();
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return { findings: [problem("store", `${file} cannot be read: ${why}`, RESTORE)], services: [], lastEventAt: null };
  } finally {
    database?.close();
  }
}

async function read(database: DatabaseSync, signal: AbortSignal, noted: EventHead | null): Promise<StoreView> {
  const number = (sql: string): number | null => {
    const value = Object.values(database.prepare(sql).get() ?? {})[0];
    return typeof value === "number" ? value : null;
  };
  if (number("PRAGMA application_id") !== APPLICATION_ID) {
    const finding = problem("store", "teal.db is no database of Teal's", RESTORE);
    return { findings: [finding], services: [], lastEventAt: null };
  }
  const version = number("PRAGMA user_version") ?? 0;
  const findings = [
    schema(version),
    integrity(database),
    ...plans(number),
    ...(await journal(database, version, signal, noted)),
  ];
  const services = database
    .prepare("SELECT service, fence, generation FROM services ORDER BY service")
    .all()
    .map(({ service, fence, generation }) => ({
      service: String(service),
      fence: Number(fence),
      generation: Number(generation),
    }));
  return { findings, services, lastEventAt: number("SELECT max(at) FROM events") };
}

function schema(version: number): Finding {
  const known = MIGRATIONS.length;
  if (version <= known) return ok("schema", `version ${String(version)}; this Teal writes ${String(known)}`);
  const remedy = "Use the version of Teal that wrote it, or a newer one.";
  return problem("schema", `version ${String(version)} is of a newer Teal; this one knows ${String(known)}`, remedy);
}

/** sqlite.org/pragma.html#pragma_quick_check, and rows that name what is not there. */
function integrity(database: DatabaseSync): Finding {
  const said = database
    .prepare("PRAGMA quick_check(5)")
    .all()
    .map((row) => String(Object.values(row)[0]));
  if (said.join() !== "ok") return problem("store", `the file is damaged: ${said.join("; ")}`, RESTORE);
  const dangling = database.prepare("PRAGMA foreign_key_check").all();
  if (dangling.length > 0) {
    const tables = [...new Set(dangling.map(({ table }) => String(table)))].join(", ");
    return problem("store", `${String(dangling.length)} rows of ${tables} name what is not there`, RESTORE);
  }
  return ok("store", "the file is whole");
}

function plans(number: (sql: string) => number | null): readonly Finding[] {
  const strange = number(
    `SELECT count(*) FROM deployments d WHERE d.state NOT IN ('completed', 'rolled-back', 'aborted', 'failed')
       AND NOT EXISTS (SELECT 1 FROM plans p WHERE p.deployment = d.id)`,
  );
  if (strange === null || strange === 0) return [];
  return [problem("store", `${String(strange)} deployments are under way and have no plan`, RESTORE)];
}
