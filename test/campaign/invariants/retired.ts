import type { Milliseconds } from "../../../src/model/time.ts";
import type { Evidence } from "../evidence.ts";

/** The client's clock reads its answer a little after the app gave it. */
const SLACK_MS: Milliseconds = 500;

/** Invariant 10, as the client saw it: a version whose environment was retired answers nobody any more. */
export function retired({ events, deployments, answered, sameClock }: Evidence): readonly string[] {
  if (!sameClock) return [];
  const runs = new Map<string, string>();
  const breaches: string[] = [];
  for (const { type, deployment, data, at } of events) {
    const row = deployments.find(({ id }) => id === deployment);
    if (type === "deployment-state" && data["to"] === "completed" && row?.version != null)
      runs.set(row.to, row.version);
    if (type !== "environment" || data["state"] !== "absent") continue;
    const version = runs.get(String(data["environment"]));
    const lastAt = answered[version ?? ""]?.lastAt;
    if (version !== undefined && lastAt !== undefined && lastAt > at + SLACK_MS && !isBack(runs, version, data))
      breaches.push(`${version} answered ${String(Math.round(lastAt - at))} ms after it was retired`);
  }
  return breaches;
}

/** The same version runs in the other environment, too. */
function isBack(
  runs: ReadonlyMap<string, string>,
  version: string,
  { environment }: Readonly<Record<string, unknown>>,
): boolean {
  return [...runs].some(([name, runsThere]) => name !== environment && runsThere === version);
}
