import { rmSync } from "node:fs";
import type { StatePaths } from "../wire/paths.ts";
import { proxySockets } from "../wire/proxy-sockets.ts";

/** Removes the control sockets that proxies left which were killed: all but those of `alive`. */
export function removeDeadSockets(paths: StatePaths, alive: ReadonlySet<number>): void {
  for (const { pid, path } of proxySockets(paths)) if (!alive.has(pid)) rmSync(path, { force: true });
}
