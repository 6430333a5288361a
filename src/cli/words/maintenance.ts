import type { EpochMilliseconds } from "../../model/time.ts";
import type { MaintenanceAnswer, ServiceStatusAnswer } from "../../sdk/client.ts";
import { relative } from "./duration.ts";

const WORDS = {
  off: "the app gets the requests",
  on: "requests get the maintenance page",
  hold: "requests wait",
} as const;

/** What `teal maintenance` has done, for a person. */
export function maintenanceLine(
  { service, mode, until, endsIn, changed }: MaintenanceAnswer,
  now: EpochMilliseconds,
): string {
  const end = until === null ? "" : `; this ends ${relative(until, now)}, then ${WORDS[endsIn]}`;
  return `${service}: ${WORDS[mode]}${end}${changed ? "." : ", as before."}`;
}

/** What `teal status` says of it; null: nothing, as it is off. */
export function maintenanceFact(
  { maintenance }: Pick<ServiceStatusAnswer, "maintenance">,
  now: EpochMilliseconds,
): string | null {
  if (maintenance === null) return null;
  const { mode, live, since, until, endsIn, by, reason } = maintenance;
  const who = by === null || since === null ? "" : `, by ${by} ${relative(since, now)}`;
  const why = reason === null ? "" : ` (${reason})`;
  const end = until === null ? "" : `; ends ${relative(until, now)}, then ${WORDS[endsIn]}`;
  const differs = live === null || live === mode ? "" : `; the proxy still has ${live}`;
  return `${mode}: ${WORDS[mode]}${who}${why}${end}${differs}`;
}
