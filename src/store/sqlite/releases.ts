import { z } from "zod";
import { TealError } from "../../model/error.ts";
import type { Release } from "../../model/release.ts";
import { serviceSpec } from "../stored/service-spec.ts";
import type { Database } from "./database.ts";
import { json } from "./json.ts";

const columns = z.object({
  id: z.string(),
  service: z.string(),
  version: z.string(),
  digest: z.string().nullable(),
  directory: z.string(),
  spec: json(serviceSpec),
  createdAt: z.number(),
  committedAt: z.number().nullable(),
});

const row: z.ZodType<Release> = columns.transform(({ committedAt, ...release }) =>
  committedAt === null ? release : { ...release, committedAt },
);

const SELECT = `SELECT id, service, version, digest, directory, spec, created_at AS createdAt, committed_at AS committedAt
  FROM releases`;

export function release(database: Database, service: string, id: string): Release | null {
  return database.first(row, `${SELECT} WHERE service = ? AND id = ?`, service, id);
}

export function releases(database: Database, service: string): Release[] {
  return database.all(row, `${SELECT} WHERE service = ? ORDER BY rowid DESC`, service);
}

export function putRelease(database: Database, given: Release): void {
  database.run(
    `INSERT INTO releases (service, id, version, digest, directory, spec, created_at, committed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (service, id) DO UPDATE SET version = excluded.version, digest = excluded.digest,
       directory = excluded.directory, spec = excluded.spec, created_at = excluded.created_at,
       committed_at = excluded.committed_at`,
    given.service,
    given.id,
    given.version,
    given.digest,
    given.directory,
    JSON.stringify(given.spec),
    given.createdAt,
    given.committedAt ?? null,
  );
}

const user = z.object({ name: z.string() });

/** @throws `rollback-target` while an environment is to run it */
export function removeRelease(database: Database, service: string, id: string): void {
  const used = database.first(user, "SELECT name FROM environments WHERE service = ? AND release = ?", service, id);
  if (used !== null)
    throw new TealError("rollback-target", `release ${id} of ${service} belongs to environment ${used.name}`);
  database.run("DELETE FROM releases WHERE service = ? AND id = ?", service, id);
}
