import { allProcesses } from "./procfs.ts";
import type { ProcessStat } from "../wire/process-stat.ts";

/** Processes that belong to the instance whose first process is `leader`: its group, its session, and all descendants. */
export function familyOf(leader: number, processes: readonly ProcessStat[] = allProcesses()): ReadonlySet<number> {
  const family = new Set<number>();
  for (const { pid, group, session } of processes) {
    if (pid === leader || group === leader || session === leader) family.add(pid);
  }
  // Parents may stand after their children in the list, so until nothing is added.
  for (let before = -1; before !== family.size;) {
    before = family.size;
    for (const { pid, parent } of processes) {
      if (family.has(parent)) family.add(pid);
    }
  }
  return family;
}

/** Those of the leader's own group and session, dead leader or not: what it left behind. */
export function groupOf(leader: number, processes: readonly ProcessStat[] = allProcesses()): readonly number[] {
  return processes.filter(({ group, session }) => group === leader || session === leader).map(({ pid }) => pid);
}
