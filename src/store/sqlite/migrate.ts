import type { DatabaseSync } from "node:sqlite";
import { TealError } from "../../model/error.ts";
import { APPLICATION_ID, type Migration, MIGRATIONS } from "./schema.ts";

/**
 * Brings the schema forward, each step and its number in one transaction.
 * @throws `protocol-mismatch` when a newer Teal wrote the file; `store-failed` when it is not Teal's
 */
export function migrate(database: DatabaseSync, migrations: readonly Migration[] = MIGRATIONS): void {
  const written = pragma(database, "user_version");
  const owner = pragma(database, "application_id");
  if (owner !== APPLICATION_ID && (owner !== 0 || written !== 0 || hasTables(database))) {
    throw new TealError("store-failed", "the file is a database of another program", {
      remedy: "Give Teal a state directory of its own.",
    });
  }
  if (written > migrations.length) {
    throw new TealError(
      "protocol-mismatch",
      `the store has schema ${String(written)}; this version of Teal knows up to ${String(migrations.length)}`,
      { remedy: "Use the version of Teal that wrote it, or a newer one." },
    );
  }
  for (const [index, migration] of migrations.entries()) if (index >= written) step(database, index, migration);
}

function step(database: DatabaseSync, index: number, migration: Migration): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    // Another process may have done it between our look and our lock.
    if (pragma(database, "user_version") === index) {
      if (typeof migration === "string") database.exec(migration);
      else migration(database);
      database.exec(`PRAGMA application_id = ${String(APPLICATION_ID)}; PRAGMA user_version = ${String(index + 1)}`);
    }
    database.exec("COMMIT");
  } catch (thrown) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw thrown;
  }
}

function pragma(database: DatabaseSync, name: "user_version" | "application_id"): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}

function hasTables(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() !== undefined;
}
