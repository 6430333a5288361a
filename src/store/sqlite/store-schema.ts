import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/** Version of the schema of a store, also of one that is in use; 0 when there is none. @throws when it cannot be read */
export function storeSchema(file: string): number {
  if (!existsSync(file)) return 0;
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  try {
    return Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
  } finally {
    database.close();
  }
}
