import type { Evidence } from "../evidence.ts";

/** What serves is the last version that was completed: a deployment that was taken back leaves nothing behind. */
export function outcome({ deployments, live, versions }: Evidence): readonly string[] {
  const last = deployments.findLast(({ state, goal }) => state === "completed" && goal !== "retire");
  if (last === undefined) return [];
  const weight = live.weights[last.to] ?? 0;
  const version = versions[last.to];
  return [
    ...(weight === 100 ? [] : [`${last.to} of ${last.id} was completed last, and has ${String(weight)} %`]),
    ...(version === last.version ? [] : [`${last.to} is to run ${String(version)}, not ${String(last.version)}`]),
  ];
}
