import { readFileSync } from "node:fs";

/** USER_HZ: what /proc counts in, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Processor time of all threads of a process so far: utime and stime of proc_pid_stat(5), fields 14 and 15. */
export function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${String(pid)}/stat`, "latin1");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[14 - 3]) + Number(fields[15 - 3])) / TICKS_PER_SECOND;
}
