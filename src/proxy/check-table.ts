import { TealError } from "../model/error.ts";
import { type Weights, weightsProblem } from "../model/traffic.ts";
import type { ServiceTable } from "../wire/proxy.ts";

/** More than any service has; keeps one bad message from filling the snapshot and the workers' memory. */
const INSTANCES_AT_MOST = 10_000;

const ADDRESS = /^(?:\[[0-9a-fA-F:.]+\]|[^:\s]+):(\d{1,5})$/u;

/**
 * A table that may be published: weights that sum to 100 (none at all: the service has no release yet), every weighted
 * environment present with instances, addresses that can be connected to.
 * @throws `request-invalid`
 */
export function checkTable(table: ServiceTable): void {
  const problem = problemOf(table);
  if (problem !== null) throw new TealError("request-invalid", `the table of ${table.service}: ${problem}`);
}

function problemOf({ weights, revertTo, backends }: ServiceTable): string | null {
  const instances = backends.flatMap((backend) => backend.instances);
  if (instances.length > INSTANCES_AT_MOST)
    return `${String(instances.length)} instances, more than ${String(INSTANCES_AT_MOST)}`;
  const names = backends.map(({ environment }) => environment);
  if (new Set(names).size !== names.length) return "an environment is there twice";
  for (const { address } of instances) {
    const port = Number(ADDRESS.exec(address)?.[1] ?? 0);
    if (port < 1 || port > 65_535) return `${JSON.stringify(address)} is not host:port`;
  }
  return weightProblem(weights, names) ?? weightProblem(revertTo ?? {}, names);
}

function weightProblem(weights: Weights, names: readonly string[]): string | null {
  if (Object.keys(weights).length === 0) return null;
  const missing = Object.entries(weights).find(([name, weight]) => weight > 0 && !names.includes(name));
  return missing === undefined
    ? weightsProblem(weights)
    : `${missing[0]} has weight ${String(missing[1])} and no backend`;
}
