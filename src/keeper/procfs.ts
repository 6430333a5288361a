import { readdirSync, readFileSync } from "node:fs";

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

function hasEnded({ state }: ProcessStat): boolean {
  return state === "Z" || state === "X";
}

function readAnyStat(pid: number): ProcessStat | null {
  const text = readProc(`${String(pid)}/stat`);
  if (text === null) return null;
  // The command name, in parentheses, may hold anything: fields are counted from the last parenthesis.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const state = fields[0] ?? "";
  const field = (number: number): number => Number(fields[number - 3]);
  const cpuTicks = field(14) + field(15);
  return { pid, parent: field(4), group: field(5), session: field(6), startTicks: field(22), state, cpuTicks };
}

export function allProcesses(): readonly ProcessStat[] {
  return listed(readStat);
}

/** Children of `parent` that have ended and wait to be reaped by it. */
export function zombiesOf(parent: number): readonly number[] {
  return listed(readAnyStat)
    .filter((stat) => stat.parent === parent && stat.state === "Z")
    .map(({ pid }) => pid);
}

function listed(read: (pid: number) => ProcessStat | null): readonly ProcessStat[] {
  return readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? (read(Number(name)) ?? []) : []));
}

/** The environment that a process was started with; null when it is gone or may not be read. */
export function readEnvironment(pid: number): Readonly<Record<string, string>> | null {
  const text = readProc(`${String(pid)}/environ`);
  if (text === null) return null;
  const variables: Record<string, string> = {};
  for (const entry of text.split("\0")) {
    const at = entry.indexOf("=");
    if (at > 0) variables[entry.slice(0, at)] = entry.slice(at + 1);
  }
  return variables;
}

/** Program and arguments; empty when they cannot be read. */
export function readCommandLine(pid: number): readonly string[] {
  return (readProc(`${String(pid)}/cmdline`) ?? "").split("\0").slice(0, -1);
}

/** The command line for a person; the pid alone when it cannot be read. */
export function describeProcess(pid: number): string {
  const command = readCommandLine(pid).join(" ");
  return command === "" ? `pid ${String(pid)}` : `pid ${String(pid)} (${command.slice(0, 80)})`;
}

/** Changes with every boot. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** A process ends between two looks at any moment, and another user's may not be read: both are "not there". */
function readProc(path: string): string | null {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    return null;
  }
}
