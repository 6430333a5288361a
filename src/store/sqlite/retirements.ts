import { z } from "zod";
import type { RetirementRow } from "../store.ts";
import type { Database } from "./database.ts";

const row: z.ZodType<RetirementRow> = z.object({
  service: z.string(),
  environment: z.string(),
  release: z.string(),
  at: z.number(),
});

const SELECT = "SELECT service, environment, release, at FROM retirements";

/** Soonest first, of all services or of one. */
export function retirements(database: Database, service: string | null): RetirementRow[] {
  return service === null
    ? database.all(row, `${SELECT} ORDER BY at, service`)
    : database.all(row, `${SELECT} WHERE service = ?`, service);
}

export function putRetirement(database: Database, given: RetirementRow): void {
  database.run(
    `INSERT INTO retirements (service, environment, release, at) VALUES (?, ?, ?, ?)
     ON CONFLICT (service) DO UPDATE SET environment = excluded.environment, release = excluded.release, at = excluded.at`,
    given.service,
    given.environment,
    given.release,
    given.at,
  );
}

export function cancelRetirement(database: Database, service: string, environment: string): void {
  database.run("DELETE FROM retirements WHERE service = ? AND environment = ?", service, environment);
}
