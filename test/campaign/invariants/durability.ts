import { isDeepStrictEqual } from "node:util";
import type { Evidence } from "../evidence.ts";

/**
 * Invariant 2: what was acknowledged or served is on record, events are numbered in order, no finished step is done again, and
 * nothing had traffic whose row does not say so.
 */
export function durability(evidence: Evidence): readonly string[] {
  return [
    ...acknowledged(evidence),
    ...gone(evidence),
    ...numbered(evidence),
    ...repeated(evidence),
    ...unannounced(evidence),
  ];
}

function acknowledged({ acknowledged: ids, deployments, events }: Evidence): string[] {
  const rows = new Set(deployments.map(({ id }) => id));
  const accepted = new Set(events.filter(({ type }) => type === "deployment-accepted").map((one) => one.deployment));
  return ids.flatMap((id) => (rows.has(id) && accepted.has(id) ? [] : [`${id} was acknowledged and is not on record`]));
}

/** An older copy of the record may not have what was served since. */
function gone({ served, events, unrecorded }: Evidence): string[] {
  if (unrecorded.length > 0) return [];
  const bySeq = new Map(events.map((event) => [event.seq, event]));
  return served
    .filter((event) => !isDeepStrictEqual(bySeq.get(event.seq), event))
    .map((event) => `${JSON.stringify(event)} was served, and on record is ${JSON.stringify(bySeq.get(event.seq))}`);
}

function numbered({ events }: Evidence): string[] {
  return events
    .slice(1)
    .flatMap(({ seq }, index) =>
      seq > (events[index]?.seq ?? 0) ? [] : [`event ${String(seq)} does not come after the one before`],
    );
}

function repeated({ events }: Evidence): string[] {
  const done = new Set<string>();
  const breaches: string[] = [];
  for (const { type, deployment, step } of events) {
    const key = `${String(step)} of ${String(deployment)}`;
    if ((type === "step-started" || type === "step-completed") && done.has(key)) breaches.push(`${key}: done again`);
    if (type === "step-completed") done.add(key);
  }
  return breaches;
}

function unannounced({ seen, deployments, unrecorded }: Evidence): string[] {
  const rows = deployments.filter((row) => row.touchedTraffic).map(({ id }) => id);
  const touched = new Set([...rows, ...unrecorded]);
  const live = new Set(seen.flatMap(({ deployment }) => (deployment === null ? [] : [deployment])));
  return [...live].filter((id) => !touched.has(id)).map((id) => `${id} had traffic, and its row does not say so`);
}
