import type { Deployment } from "../model/deployment.ts";
import type { EpochMilliseconds } from "../model/time.ts";
import type { EngineParts } from "./parts.ts";

/** Deployments looked through for the last that was about traffic: retirements of old environments come in between. */
const LOOK_THROUGH = 10;

/**
 * A note for the plan of a rollback when the newest deployment was taken back: who asks may mean that one, whose traffic is
 * back already. Null when the newest one was completed.
 * @param path releases that the rollback goes from and to
 */
export async function lastTakenBack(
  { store, clock }: Pick<EngineParts, "store" | "clock">,
  service: string,
  path: { readonly from: string | null; readonly to: string },
): Promise<string | null> {
  const newest = (await store.history(service, LOOK_THROUGH)).find(({ goal }) => goal !== "retire");
  const how = newest === undefined ? null : howItEnded(newest);
  if (newest === undefined || how === null || path.from === null) return null;
  const { release, to, endedAt } = newest;
  return `${release ?? to} ${how} ${timeOf(endedAt ?? clock.now(), clock.now())}; this goes from ${path.from} to ${path.to}.`;
}

function howItEnded({ state, cause }: Deployment): string | null {
  if (state === "rolled-back") return "was taken back by itself";
  if (state === "aborted") return cause?.kind === "abort" ? `was taken back by ${cause.by}` : "was taken back";
  return state === "failed" ? "failed" : null;
}

/** `at 12:01 UTC`, with its date unless that is today's. */
function timeOf(at: EpochMilliseconds, now: EpochMilliseconds): string {
  const [day = "", time = ""] = new Date(at).toISOString().split("T");
  const isToday = new Date(now).toISOString().startsWith(day);
  return `${isToday ? "" : `on ${day} `}at ${time.slice(0, 5)} UTC`;
}
