import { lstatSync, readdirSync, statfsSync, type Stats } from "node:fs";
import { join } from "node:path";
import { stateDirectoryProblem } from "../../store/state-directory.ts";
import type { StatePaths } from "../../wire/paths.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

const MIB = 1_048_576;
/** Below it a deploy may fail; below the first the store may, too. */
const LITTLE = { problem: 64 * MIB, warning: 512 * MIB };
const FEW_INODES = 1_000;
/** Files that are for this user alone. */
const SECRET = /\.(?:db|db-wal|db-shm|lock|json|sock|snapshot)$/;

/** The folder itself, what stands in it, and the disk below it. */
export function stateDirectory(paths: StatePaths, uid: number, running: boolean): readonly Finding[] {
  const folder = lstatSync(paths.root, { throwIfNoEntry: false });
  if (folder === undefined)
    return [warning("state-directory", `${paths.root} is not there: Teal has not run here`, "`teal up --detach`.")];
  const unusable = stateDirectoryProblem(paths.root);
  if (unusable !== null) return [problem("state-directory", unusable.message, unusable.remedy)];
  return [
    ...permissions(paths, folder, uid),
    space(statfsSync(paths.root)),
    ballast(join(paths.root, "ballast"), running),
  ];
}

function permissions(paths: StatePaths, folder: Stats, uid: number): readonly Finding[] {
  const findings: Finding[] = [];
  const mode = (stats: Stats): string => (stats.mode & 0o777).toString(8);
  if ((folder.mode & 0o022) !== 0)
    findings.push(
      problem("permissions", `others may write to ${paths.root} (mode ${mode(folder)})`, `chmod 711 ${paths.root}`),
    );
  for (const name of readdirSync(paths.root)) {
    const path = join(paths.root, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) continue;
    if (stats.uid !== folder.uid)
      findings.push(
        problem(
          "permissions",
          `${path} belongs to uid ${String(stats.uid)}, the folder to uid ${String(folder.uid)}`,
          `Run Teal as one user always; chown ${String(folder.uid)} ${path}`,
        ),
      );
    if (SECRET.test(name) && (stats.mode & 0o077) !== 0)
      findings.push(problem("permissions", `others may use ${path} (mode ${mode(stats)})`, `chmod 600 ${path}`));
  }
  if (uid !== folder.uid && uid !== 0)
    findings.push(warning("permissions", `${paths.root} belongs to another user`, "Run this as the user of Teal."));
  return findings.length > 0 ? findings : [ok("permissions", `${paths.root} is for its user alone`)];
}

export function space({
  bavail,
  bsize,
  ffree,
  files,
}: Readonly<Record<"bavail" | "bsize" | "ffree" | "files", number>>): Finding {
  const free = bavail * bsize;
  const message = `${String(Math.floor(free / MIB))} MiB free`;
  const remedy = "Make room: fewer releases (deploy.keepReleases), less log, or a larger disk.";
  if (free < LITTLE.problem) return problem("space", message, remedy);
  // Some file systems have no fixed number of inodes, and say 0 of 0.
  if (files > 0 && ffree < FEW_INODES) return problem("space", `${message}, and ${String(ffree)} inodes`, remedy);
  return free < LITTLE.warning ? warning("space", message, remedy) : ok("space", message);
}

/** 8 MiB that the store gives up when the disk is full. */
function ballast(path: string, running: boolean): Finding {
  const size = lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > 0) return ok("ballast", `${String(Math.floor(size / MIB))} MiB are kept back for a full disk`);
  if (!running) return ok("ballast", "none; it is made when Teal runs");
  return warning(
    "ballast",
    "there is none: the disk was full, or Teal has just started",
    "Make room; it is made again by itself with a later write.",
  );
}
