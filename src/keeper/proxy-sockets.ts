import { readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { StatePaths } from "../wire/paths.ts";

/** Removes the control sockets that proxies left which were killed: all but those of `alive`. */
export function removeDeadSockets(paths: StatePaths, alive: ReadonlySet<number>): void {
  const folder = dirname(paths.proxySocket(0));
  for (const name of readdirSync(folder)) {
    const pid = Number(/^proxy-(\d+)\.sock$/.exec(name)?.[1] ?? Number.NaN);
    if (basename(paths.proxySocket(pid)) !== name || alive.has(pid)) continue;
    rmSync(join(folder, name), { force: true });
  }
}
