import { z } from "zod";
import { TealError } from "../../model/error.ts";
import { sameWeights, weightsProblem } from "../../model/traffic.ts";
import { weights } from "../stored/shapes.ts";
import type { ServiceRow, Transition } from "../store.ts";
import type { Database } from "./database.ts";
import { json } from "./json.ts";

const row: z.ZodType<ServiceRow> = z.object({
  service: z.string(),
  fence: z.int(),
  generation: z.int(),
  weights: json(weights),
  active: z.string().nullable(),
  standby: z.string().nullable(),
});

const SELECT = "SELECT service, fence, generation, weights, active, standby FROM services";

export function services(database: Database): ServiceRow[] {
  return database.all(row, `${SELECT} ORDER BY service`);
}

export function service(database: Database, name: string): ServiceRow | null {
  return database.first(row, `${SELECT} WHERE service = ?`, name);
}

/** Makes the row when there is none: fence 0, no split. */
export function ensureService(database: Database, name: string): void {
  database.run(
    "INSERT INTO services (service, fence, generation, weights) VALUES (?, 0, 0, '{}') ON CONFLICT DO NOTHING",
    name,
  );
}

export function claim(database: Database, name: string, observedFence: number): ServiceRow {
  ensureService(database, name);
  database.run("UPDATE services SET fence = max(fence, ?) + 1 WHERE service = ?", observedFence, name);
  const claimed = service(database, name);
  if (claimed === null) throw new TealError("internal", `the row of ${name} vanished within a transaction`);
  return claimed;
}

/** @throws `fenced` under a lower fence than the row's; `service-unknown` without a row */
export function checkFence(database: Database, name: string, fence: number): ServiceRow {
  const current = service(database, name);
  if (current === null) throw new TealError("service-unknown", `the store has no service ${name}`);
  if (fence < current.fence) {
    throw new TealError("fenced", `fence ${String(fence)} of ${name} is older than ${String(current.fence)}`);
  }
  return current;
}

/** Writes fence, split and roles. A fence above the row's is kept: it was observed outside, and its claim came first. */
export function changeService(database: Database, current: ServiceRow, change: Transition): void {
  const { split, roles } = change;
  if (split !== undefined) {
    const isReleased = Object.keys(split.weights).length > 0;
    const problem = isReleased ? weightsProblem(split.weights) : null;
    if (problem !== null) throw new TealError("internal", `a split of ${change.service} was refused: ${problem}`);
    if (split.generation < current.generation && !sameWeights(split.weights, current.weights)) {
      throw new TealError(
        "internal",
        `generation ${String(split.generation)} of ${change.service} is lower than ${String(current.generation)}`,
      );
    }
  }
  const generation = Math.max(current.generation, split?.generation ?? 0);
  const next = { ...current, ...split, ...roles, generation };
  database.run(
    "UPDATE services SET fence = ?, generation = ?, weights = ?, active = ?, standby = ? WHERE service = ?",
    change.fence,
    next.generation,
    JSON.stringify(next.weights),
    next.active,
    next.standby,
    change.service,
  );
}
