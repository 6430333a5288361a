import { z } from "zod";
import type { EnvironmentRecord } from "../../model/environment.ts";
import type { Database } from "./database.ts";

const row: z.ZodType<EnvironmentRecord> = z
  .object({
    service: z.string(),
    name: z.string(),
    release: z.string().nullable(),
    desired: z.enum(["running", "stopped"]),
    count: z.int().nullable(),
  })
  .transform(({ count, ...rest }) => (count === null ? rest : { ...rest, count }));

export function environments(database: Database, service: string): EnvironmentRecord[] {
  return database.all(
    row,
    "SELECT service, name, release, desired, count FROM environments WHERE service = ? ORDER BY name",
    service,
  );
}

export function putEnvironment(database: Database, given: EnvironmentRecord): void {
  database.run(
    `INSERT INTO environments (service, name, release, desired, count) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (service, name)
     DO UPDATE SET release = excluded.release, desired = excluded.desired, count = excluded.count`,
    given.service,
    given.name,
    given.release,
    given.desired,
    given.count ?? null,
  );
}
