import { readFileSync } from "node:fs";

/** What /proc/<pid>/stat says of a process (proc_pid_stat(5)). */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Field 22: clock ticks between boot and the process's start. With the pid and the boot id it names a process for all time. */
  readonly startTicks: number;
  /** Field 3, of the main thread: R runs, S waits, D waits for a disk or the like, T stopped, t traced … */
  readonly state: string;
  /** Fields 14 and 15, of all threads: clock ticks on a processor. */
  readonly cpuTicks: number;
}

/** Null when there is no such process, or only its zombie: nobody may reap that of a process that was not our child. */
export function readStat(pid: number): ProcessStat | null {
  const stat = readAnyStat(pid);
  return stat === null || hasEnded(stat) ? null : stat;
}

/** A zombie, whose parent has not taken note yet, is dead. Where /proc does not show the process, the kernel is asked. */
export function isAlive(pid: number): boolean {
  const stat = readAnyStat(pid);
  if (stat !== null) return !hasEnded(stat);
  try {
    return process.kill(pid, 0);
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM";
  }
}

function hasEnded({ state }: ProcessStat): boolean {
  return state === "Z" || state === "X";
}

/** Also of one that has ended and was not reaped. */
export function readAnyStat(pid: number): ProcessStat | null {
  const text = readProc(`${String(pid)}/stat`);
  if (text === null) return null;
  // The command name, in parentheses, may hold anything: fields are counted from the last parenthesis.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const state = fields[0] ?? "";
  const field = (number: number): number => Number(fields[number - 3]);
  const cpuTicks = field(14) + field(15);
  return { pid, parent: field(4), group: field(5), session: field(6), startTicks: field(22), state, cpuTicks };
}

/** A file of /proc. A process ends between two looks at any moment, and another user's may not be read: both are "not there". */
export function readProc(path: string): string | null {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    return null;
  }
}
