import type { Random } from "../../src/model/time.ts";
import type { Site } from "../site.ts";
import { pick } from "./seeded.ts";

export const TARGETS = ["keeper", "server", "proxy", "app"] as const;
/** A process that a fault befalls; `app`: one of two instances of an environment that serves. */
export type Target = (typeof TARGETS)[number];

/** Its process now; null when there is none that the contract speaks of, such as an instance whose fellow is away. */
export async function pidOf(site: Site, target: Target, random: Random): Promise<number | null> {
  if (target === "app") return instanceOf(site, random);
  const { keeper, server, proxies } = await site.pids();
  switch (target) {
    case "keeper":
      return keeper;
    case "server":
      return server;
    case "proxy":
      return proxies.at(-1) ?? null;
    default:
      return target satisfies never;
  }
}

async function instanceOf(site: Site, random: Random): Promise<number | null> {
  const { environments, traffic } = await site.service();
  const serving = environments.filter(
    ({ name, instances }) =>
      (traffic[name] ?? 0) > 0 &&
      instances.length > 1 &&
      instances.every(({ healthy, pid }) => healthy && pid !== null),
  );
  if (serving.length === 0) return null;
  return pick(pick(serving, random).instances, random).pid;
}
