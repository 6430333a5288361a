import { findTeal } from "../keeper/orphans.ts";
import { isToGoOn } from "../keeper/record.ts";
import { readOwner } from "../store/sqlite/ownership.ts";
import type { StatePaths } from "../wire/paths.ts";
import { allDrain } from "./left-proxies.ts";

/**
 * Whether the server in this process is all that is left to start a keeper, and somebody is to: it still owns this state
 * directory (one that was removed, or made anew under its name, is none of its business), nobody has asked for Teal's end,
 * and neither a keeper lives nor a proxy that would start one.
 */
export async function isLeftAlone(paths: StatePaths, signal: AbortSignal): Promise<boolean> {
  if (readOwner(paths.serverLock)?.pid !== process.pid) return false;
  if (!(await isToGoOn(paths.keeperRecord))) return false;
  // The proxies first: one that starts a keeper and ends between the two looks has left that keeper to the second.
  const proxies = findTeal("proxy", paths.root);
  if (findTeal("keeper", paths.root).length > 0) return false;
  return allDrain(proxies, paths, signal);
}
