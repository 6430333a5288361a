import { readdirSync, readFileSync } from "node:fs";
import { type ProcessStat, readAnyStat, readProc, readStat } from "../wire/process-stat.ts";

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
