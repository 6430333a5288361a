import { existsSync } from "node:fs";
import { basename } from "node:path";
import type { KeeperProtocol } from "../wire/keeper.ts";
import type { Result } from "../wire/protocol.ts";
import { compareVersions, packageVersionOf } from "./version-order.ts";

type KeeperStatus = Result<KeeperProtocol, "status">;

/** One process of Teal, and the version of the bundles that it runs from. */
export interface RunningProcess {
  readonly process: "keeper" | "server" | "proxy";
  /** Null while the server is being started again. */
  readonly pid: number | null;
  readonly runtime: string;
  /** Another proxy took its place; it serves what it still has. */
  readonly draining: boolean;
}

/** A keeper that does not tell what the others run from has started them from its own. */
export function processesOf(status: KeeperStatus): readonly RunningProcess[] {
  const { pid, runtime, server, proxies } = status;
  const name = (told: string | undefined): string => basename(told ?? runtime);
  return [
    { process: "keeper", pid, runtime: name(runtime), draining: false },
    { process: "server", pid: server.pid, runtime: name(server.runtime), draining: false },
    ...proxies.map((proxy) => ({
      process: "proxy" as const,
      pid: proxy.pid,
      runtime: name(proxy.runtime),
      draining: proxy.draining,
    })),
  ];
}

/**
 * What this package is to that which runs: the same; `newer`; `rebuilt`, other code of the same version; `older`. `node`: the
 * same, but the Node binary that it was started with has been removed.
 */
export type Relation = "same" | "newer" | "rebuilt" | "older" | "node";

/** After an interrupted upgrade, when not all run from the same, the newest of them counts. */
export function relationOf(status: KeeperStatus, packageRuntime: string): Relation {
  const running = processesOf(status).filter(({ draining }) => !draining);
  const orders = running.map(({ runtime }) =>
    compareVersions(packageVersionOf(packageRuntime), packageVersionOf(runtime)),
  );
  if (orders.some((order) => order < 0)) return "older";
  if (orders.some((order) => order > 0)) return "newer";
  if (running.some(({ runtime }) => runtime !== packageRuntime)) return "rebuilt";
  return status.node === undefined || existsSync(status.node) ? "same" : "node";
}
