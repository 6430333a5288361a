import { accessSync, chmodSync, closeSync, constants, fsyncSync, mkdirSync, openSync, statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { TealError } from "../model/error.ts";

/**
 * Magic numbers of statfs(2), "linux/magic.h", of file systems whose locks or syncs cannot be relied on over a network
 * (sqlite.org/faq.html#q5). FUSE is in the other table: it may be local (gocryptfs) or remote (sshfs).
 */
const NETWORK = new Map<number, string>([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x564c, "NCP"],
  [0x73757245, "Coda"],
  [0x5346414f, "AFS"],
  [0x00c36400, "Ceph"],
  [0x0bd00bd0, "Lustre"],
  [0x01161970, "GFS2"],
  [0x7461636f, "OCFS2"],
  [0x47504653, "GPFS"],
]);

/** May be local or remote: used, with a warning. Sandboxes stand on 9p. */
const DOUBTFUL = new Map<number, string>([
  [0x01021997, "9p"],
  [0x65735546, "FUSE"],
]);

export interface StateDirectory {
  /** What a person should know of it, though it is used. */
  readonly warnings: readonly string[];
}

/** The type of the file system of `path`, as statfs(2) numbers it. */
export type FileSystemType = (path: string) => number;

const systemType: FileSystemType = (path) => statfsSync(path).type;

/** Why `path` cannot hold Teal's state, or null. The folder must exist. */
export function stateDirectoryProblem(path: string, type: FileSystemType = systemType): TealError | null {
  const network = NETWORK.get(unsigned(type(path)));
  if (network !== undefined) {
    return new TealError("state-directory", `${path} is on ${network}, a network file system`, {
      remedy: "Put the state directory on a local disk: locks and syncs over a network lose data.",
    });
  }
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return null;
  } catch (cause) {
    return new TealError("state-directory", `this user cannot write to ${path}`, { cause });
  }
}

/**
 * Makes the folder when there is none. Others may pass through it (0711), as apps with a user of their own run in releases
 * below it; they cannot list it, and whatever is secret in it has a mode of its own.
 * @throws `state-directory`
 */
export function ensureStateDirectory(path: string, type: FileSystemType = systemType): StateDirectory {
  try {
    const first = mkdirSync(path, { recursive: true, mode: 0o711 });
    if (first !== undefined) syncAbove(path, first);
    chmodSync(path, 0o711);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TealError("state-directory", `${path} cannot be made or given its mode: ${why}`, { cause });
  }
  const problem = stateDirectoryProblem(path, type);
  if (problem !== null) throw problem;
  const doubtful = DOUBTFUL.get(unsigned(type(path)));
  return {
    warnings:
      doubtful === undefined
        ? []
        : [`${path} is on ${doubtful}; if that is a network file system, move it to a local disk`],
  };
}

/** What is durable in the folder can be found only when the entries that lead to it are: of it, up to the first one made. */
function syncAbove(path: string, first: string): void {
  const above = dirname(resolve(first));
  for (let made = resolve(path); made !== above;) {
    made = dirname(made);
    const folder = openSync(made, "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }
}

/** Some platforms give the type as a signed 32-bit integer. */
function unsigned(type: number): number {
  return type >>> 0;
}
