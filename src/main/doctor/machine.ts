import { readdirSync, readFileSync, statSync } from "node:fs";
import type { EpochMilliseconds } from "../../model/time.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";
import { answerOf, type Scene } from "./scene.ts";

const OLDEST_NODE = 24;
/** Fewer than that many descriptors are too few for a proxy, whose every request takes two. */
const FEW_FILES = 4_096;
const SKEW_MS = 60_000;

export function nodeVersion(version: string): Finding {
  const major = Number(version.split(".")[0]);
  if (major >= OLDEST_NODE) return ok("node", `Node ${version}`);
  return problem("node", `Node ${version} is older than ${String(OLDEST_NODE)}`, "Install a newer Node.");
}

/** What this machine's clock says beside times that were written before. */
export function clockFinding(now: EpochMilliseconds, files: readonly string[], lastEventAt: number | null): Finding {
  const written = files.flatMap((file) => {
    const found = statSync(file, { throwIfNoEntry: false });
    return found === undefined ? [] : [found.mtimeMs];
  });
  const newest = Math.max(0, lastEventAt ?? 0, ...written);
  const ahead = newest - now;
  if (ahead <= SKEW_MS) return ok("clock", `${new Date(now).toISOString()}, after all that was written`);
  return problem(
    "clock",
    `the clock is ${String(Math.round(ahead / 1_000))} s behind what Teal has written already`,
    "Set the clock, and keep it right by NTP: retirements and retries are due by it.",
  );
}

/** Limits of open files, and how much of them the proxies use. */
export function openFiles({ keeper }: Scene): readonly Finding[] {
  const view = answerOf(keeper);
  const pids = view === null ? [process.pid] : view.status.proxies.map(({ pid }) => pid);
  return pids.map((pid) => filesOf(pid, view === null ? "this shell" : `proxy ${String(pid)}`));
}

function filesOf(pid: number, name: string): Finding {
  let limit: number;
  let open: number;
  try {
    limit = openFileLimit(readFileSync(`/proc/${String(pid)}/limits`, "utf8"));
    open = readdirSync(`/proc/${String(pid)}/fd`).length;
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return warning("open-files", `the limits of ${name} cannot be read: ${why}`, "Run this as the user of Teal.");
  }
  return filesFinding(name, open, limit);
}

export function filesFinding(name: string, open: number, limit: number): Finding {
  const message = `${name} has ${String(open)} of ${String(limit)} files open`;
  const remedy = "Raise LimitNOFILE of the unit, or `ulimit -n` of the shell, and start Teal there again.";
  if (open > limit * 0.9) return problem("open-files", message, remedy);
  return open > limit * 0.7 || limit < FEW_FILES ? warning("open-files", message, remedy) : ok("open-files", message);
}

/** The soft limit of proc_pid_limits(5). */
export function openFileLimit(limits: string): number {
  const soft = /^Max open files +(\S+)/m.exec(limits)?.[1];
  return soft === "unlimited" ? Infinity : Number(soft ?? Number.NaN);
}
