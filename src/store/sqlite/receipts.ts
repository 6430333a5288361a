import { z } from "zod";
import type { Receipt } from "../../model/traffic.ts";
import { receipt } from "../stored/shapes.ts";
import type { Database } from "./database.ts";
import { json } from "./json.ts";

const row = z.object({ receipt: json(receipt) });

export function receipts(database: Database, deployment: string): Receipt[] {
  return database
    .all(row, "SELECT receipt FROM receipts WHERE deployment = ? ORDER BY generation", deployment)
    .map((found) => found.receipt);
}

/** The final receipt can be here before the transition that brings the first one: it must not be lost to that. */
export function putReceipt(database: Database, given: Receipt): void {
  database.run(
    `INSERT INTO receipts (service, generation, deployment, final, receipt) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (service, generation) DO UPDATE
       SET deployment = excluded.deployment, final = excluded.final, receipt = excluded.receipt
       WHERE excluded.final >= final OR excluded.deployment IS NOT deployment`,
    given.service,
    given.generation,
    given.deployment,
    given.final ? 1 : 0,
    JSON.stringify(given),
  );
}
