import type { Evidence } from "../evidence.ts";

/** Invariants 4 and 6: no split for a new environment before it was found healthy; nobody else moved the traffic. */
export function healthGate({ events, deployments, unrecorded }: Evidence): readonly string[] {
  const healthy = new Set<string>();
  const breaches: string[] = [];
  for (const { type, deployment, step, data, seq } of events) {
    if (type === "step-completed" && step === "healthy") healthy.add(String(deployment));
    // Against an older copy of the record, what serves is drift.
    if (type === "drift" && unrecorded.length === 0)
      breaches.push(`event ${String(seq)}: the live split was not the recorded one`);
    if (type !== "split-applied") continue;
    const row = deployments.find(({ id }) => id === deployment);
    const weight = (data["weights"] as Readonly<Record<string, number>>)[row?.to ?? ""] ?? 0;
    if (row?.goal === "deploy" && weight > 0 && !healthy.has(row.id))
      breaches.push(`${row.id} gave traffic to ${row.to}, which was not known to be healthy`);
  }
  return breaches;
}
