import { z } from "zod";
import type { Deployment } from "../../model/deployment.ts";
import type { Database } from "./database.ts";
import { deployment } from "./deployments.ts";

const row = z.object({ deployment: z.string() });

/** The deployment that was aborted under this key. */
export function abortedWithKey(database: Database, service: string, key: string): Deployment | null {
  const found = database.first(
    row,
    "SELECT deployment FROM aborts WHERE service = ? AND idempotency_key = ?",
    service,
    key,
  );
  return found === null ? null : deployment(database, found.deployment);
}

/** The first deployment of a key stays. */
export function rememberAbort(database: Database, service: string, key: string, id: string): void {
  database.run(
    "INSERT INTO aborts (service, idempotency_key, deployment) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    service,
    key,
    id,
  );
}
