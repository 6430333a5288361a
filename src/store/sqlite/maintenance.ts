import { z } from "zod";
import { TealError } from "../../model/error.ts";
import type { MaintenanceRecord } from "../../model/maintenance.ts";
import { maintenanceRecord } from "../stored/maintenance-record.ts";
import type { Database } from "./database.ts";
import { json } from "./json.ts";

const row = z.object({ record: json(maintenanceRecord) });

export function maintenance(database: Database, service: string): MaintenanceRecord | null {
  return database.first(row, "SELECT record FROM maintenance WHERE service = ?", service)?.record ?? null;
}

/** @throws `internal` under a lower revision than what is there */
export function putMaintenance(database: Database, service: string, record: MaintenanceRecord): void {
  const known = maintenance(database, service)?.revision ?? 0;
  if (record.revision < known) {
    throw new TealError(
      "internal",
      `maintenance revision ${String(record.revision)} of ${service} is lower than ${String(known)}`,
    );
  }
  database.run(
    "INSERT INTO maintenance (service, record) VALUES (?, ?) ON CONFLICT (service) DO UPDATE SET record = excluded.record",
    service,
    JSON.stringify(record),
  );
}
