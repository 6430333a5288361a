import type { Change, ChangeLog, Dora } from "../model/dora.ts";
import type { EpochMilliseconds, Milliseconds } from "../model/time.ts";

const DAY: Milliseconds = 24 * 3_600_000;
/** Days that are looked at. */
const WINDOW_DAYS = 30;

/** From when on changes count, for the store's query. */
export function windowBegin(now: EpochMilliseconds): EpochMilliseconds {
  return now - WINDOW_DAYS * DAY;
}

/**
 * The four metrics of DORA (https://dora.dev/guides/dora-metrics-four-keys/) for one service over the last 30 days, or since
 * its first deployment where that is less. In DORA's words, and what they are here:
 *
 * - deployment frequency, "how often application changes are deployed to production": completed deploys of another release
 *   than the one that was active, per day observed; none with less than a day.
 * - change lead time, "the time it takes for a code commit to be successfully deployed to production": from the commit's own
 *   time to the end of the deployment, bake included; once for each release; the median. Releases of no commit are left out.
 * - change fail rate, "the percentage of deployments that cause failures in production": of the deploys that got traffic,
 *   those that were taken back, by a guardrail or a person, and those that the next completed change rolled back
 *   (`teal rollback`).
 *   What failed before it had traffic has harmed nobody and is no change.
 * - failed deployment recovery time: from the failed release's first traffic to when the traffic was back; the median. For a
 *   later rollback that is as long as users were on that release.
 *
 * Null: the service has had no deployment.
 */
export function dora(log: ChangeLog, now: EpochMilliseconds): Dora | null {
  const { begunAt, changes } = log;
  if (begunAt === null) return null;
  const oldest = log.truncated ? (changes[0]?.endedAt ?? now) : begunAt;
  const since = Math.max(windowBegin(now), Math.min(oldest, now));
  const observedDays = (now - since) / DAY;
  const deploys = newReleases(log);
  const completed = deploys.filter(({ change }) => change.state === "completed");
  const touched = deploys.filter(({ change }) => change.touchedTraffic);
  const failed = touched.filter(isFailed);
  return {
    windowDays: WINDOW_DAYS,
    observedDays: rounded(observedDays),
    deployments: completed.length,
    deploymentsPerDay: observedDays < 1 ? null : rounded(completed.length / observedDays),
    leadTimeSeconds: seconds(median(leadTimes(completed))),
    changes: touched.length,
    failures: failed.length,
    changeFailureRate: touched.length === 0 ? null : rounded(failed.length / touched.length),
    timeToRestoreSeconds: seconds(median(failed.map(restoreTime).filter((ms) => ms !== null))),
  };
}

interface Deploy {
  readonly change: Change;
  /** The change after it that was completed: what was taken back in between has left it where it was. */
  readonly next: Change | null;
}

/** Deploys of another release than the one that was active before them. */
function newReleases({ before, changes }: ChangeLog): readonly Deploy[] {
  const found: Deploy[] = [];
  let active = before;
  for (const [index, change] of changes.entries()) {
    if (change.goal === "deploy" && change.release !== active)
      found.push({ change, next: changes.slice(index + 1).find(({ state }) => state === "completed") ?? null });
    if (change.state === "completed") active = change.release;
  }
  return found;
}

function isFailed({ change, next }: Deploy): boolean {
  return change.state !== "completed" || isRollback(next);
}

function isRollback(next: Change | null): next is Change {
  return next?.goal === "rollback";
}

/** A release that is deployed again later was ready all the while: only its first deploy says how long it took. */
function leadTimes(completed: readonly Deploy[]): readonly Milliseconds[] {
  const seen = new Set<string | null>();
  return completed.flatMap(({ change: { release, committedAt, endedAt } }) => {
    if (committedAt === null || seen.has(release)) return [];
    seen.add(release);
    // A commit's time is what the clock of its author's machine said.
    return [Math.max(0, endedAt - committedAt)];
  });
}

function restoreTime({ change, next }: Deploy): Milliseconds | null {
  const back = change.state === "completed" && isRollback(next) ? (next.trafficAt ?? next.endedAt) : change.backAt;
  return change.trafficAt === null || back === null ? null : Math.max(0, back - change.trafficAt);
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return ((low ?? 0) + (high ?? 0)) / 2;
}

function seconds(ms: Milliseconds | null): number | null {
  return ms === null ? null : rounded(ms / 1_000);
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
