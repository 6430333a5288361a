import { readlinkSync, realpathSync } from "node:fs";
import type { Clock } from "../model/time.ts";
import { endGroup, killLeftovers } from "./end-group.ts";
import { allProcesses, readCommandLine, readEnvironment } from "./procfs.ts";
import type { ProcessStat } from "../wire/process-stat.ts";
import { seesSameFile } from "./same-file.ts";
import { adoptProcess } from "./watched-process.ts";

/** Their own stop signal and timeout are not known. */
const STOP = { signal: "SIGTERM", timeoutMs: 10_000 } as const;

export interface Orphan {
  /** Its TEAL_INSTANCE. */
  readonly instance: string;
  readonly session: number;
}

/**
 * Apps of this state directory that no instance stands for: a keeper that died right after it had started them had not
 * recorded them yet, and a dead app may have left children. They are known by the FIFO that they write to.
 */
export function orphansBelow(run: string, adopted: ReadonlySet<string>): readonly Orphan[] {
  const orphans = new Map<number, Orphan>();
  for (const { pid, session } of allProcesses()) {
    if (!writesBelow(pid, run)) continue;
    const instance = readEnvironment(pid)?.["TEAL_INSTANCE"];
    if (instance !== undefined && !adopted.has(instance)) orphans.set(session, { instance, session });
  }
  return [...orphans.values()];
}

function writesBelow(pid: number, run: string): boolean {
  try {
    const folder = realpathSync(run);
    return readlinkSync(`/proc/${String(pid)}/fd/1`).startsWith(`${folder}/`) && seesSameFile(pid, folder);
  } catch {
    // Ended, another user's, without a standard output; or there is no such folder, and so nobody writes there.
    return false;
  }
}

/** In an orderly way while its first process runs, as it may be serving; by force what a dead one left. */
export async function endOrphan({ session }: Orphan, clock: Clock, signal: AbortSignal): Promise<void> {
  const leader = allProcesses().find(({ pid }) => pid === session);
  const process = leader === undefined ? null : adoptProcess(leader, clock, signal);
  if (process === null) killLeftovers(session);
  else await endGroup(process, STOP, clock);
}

/** A process of Teal that runs for this state directory, with the document that it was launched with. */
export interface FoundProcess extends ProcessStat {
  readonly launch: unknown;
}

/**
 * Those of Teal's own processes that run with this root, whoever started them and whether or not they were recorded. A
 * container's may have the same path and mean another folder; one that was started by way of a link has another path and
 * means the same.
 */
export function findTeal(program: "server" | "proxy" | "keeper", root: string): readonly FoundProcess[] {
  const bundle = new RegExp(String.raw`/${program}\.m?[jt]s$`);
  return allProcesses().flatMap((stat) => {
    const [script, argument] = readCommandLine(stat.pid)
      .slice(1)
      .filter((word) => !word.startsWith("--"));
    if (script === undefined || !bundle.test(script) || argument?.startsWith("{") !== true) return [];
    const launch = parse(argument);
    return typeof launch === "object" &&
      launch !== null &&
      "root" in launch &&
      typeof launch.root === "string" &&
      launch.root.startsWith("/") &&
      seesSameFile(stat.pid, launch.root, root)
      ? [{ ...stat, launch }]
      : [];
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A program of the same name that is not ours.
    return null;
  }
}
