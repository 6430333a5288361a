import type { DeploymentAnswer, ServiceStatusAnswer } from "../../src/api/answers.ts";
import type { Random } from "../../src/model/time.ts";
import type { Site } from "../site.ts";
import { pick } from "./seeded.ts";

export const TARGETS = ["keeper", "server", "proxy", "app", "candidate"] as const;
/**
 * A process that a fault befalls; `app`: one of two instances of an environment that serves; `candidate`: one of the
 * release that is being deployed, as soon as it is there.
 */
export type Target = (typeof TARGETS)[number];

/** A process that may be hit. `environment`: of an instance. */
export interface Mark {
  readonly pid: number;
  readonly environment: string | null;
}

type Watchers = Awaited<ReturnType<Site["pids"]>>;

/** Keeper, server or proxy; null when there is none. */
export function watcherOf({ keeper, server, proxies }: Watchers, target: Target): Mark | null {
  const pid = { keeper, server, proxy: proxies.at(-1) ?? null, app: null, candidate: null }[target];
  return pid === null ? null : { pid, environment: null };
}

/** One of two instances that are both healthy, as the contract speaks of no other; null while there is none. */
export function servingInstance({ environments, traffic }: ServiceStatusAnswer, random: Random): Mark | null {
  const serving = environments.filter(
    ({ name, instances }) =>
      (traffic[name] ?? 0) > 0 &&
      instances.length > 1 &&
      instances.every(({ healthy, pid }) => healthy && pid !== null),
  );
  return serving.length === 0 ? null : instanceOf(pick(serving, random), random);
}

/** One of the instances of what is being deployed, however far they are; null while there is none. */
export function candidateInstance(
  { environments }: ServiceStatusAnswer,
  { to, version }: Pick<DeploymentAnswer, "to" | "version">,
  random: Random,
): Mark | null {
  const environment = environments.find(({ name }) => name === to);
  return environment?.version === version ? instanceOf(environment, random) : null;
}

function instanceOf({ name, instances }: ServiceStatusAnswer["environments"][number], random: Random): Mark | null {
  const pids = instances.flatMap(({ pid }) => pid ?? []);
  return pids.length === 0 ? null : { pid: pick(pids, random), environment: name };
}
