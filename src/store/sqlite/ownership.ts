import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { TealError } from "../../model/error.ts";
import { isBusy } from "./failure.ts";
import { ensurePrivateFile } from "./private-file.ts";

const owner = z.object({
  pid: z.int(),
  host: z.string(),
  /** Milliseconds since the Unix epoch. */
  since: z.number(),
  /** What the process is, for a person: `server`, `keeper`. */
  role: z.string(),
});
/** How an owner names itself to those that it keeps out. */
export type Owner = z.output<typeof owner>;

export interface Ownership {
  readonly owner: Owner;
  /** Lets go. The same again is harmless. */
  release(): void;
  [Symbol.dispose](): void;
}

/** Strong references: a database that is collected as garbage is closed, and its lock would be lost without a word. */
const held = new Set<DatabaseSync>();

/**
 * Takes sole ownership of what `path` stands for. The lock is SQLite's own on the file, under BEGIN EXCLUSIVE: the kernel
 * drops it when the process ends in any way, so there is no lease and nothing to clean up. The owner is named in
 * `<path>.json`. Never open `path` in another way: POSIX drops a process's locks when it closes any descriptor of the file.
 * @throws `server-locked` naming the first; `state-directory` when the file cannot be used
 */
export function acquireOwnership(path: string, describe: Owner): Ownership {
  const database = lock(path);
  const sidecar = `${path}.json`;
  try {
    writeFileSync(`${sidecar}.new`, JSON.stringify(describe), { mode: 0o600 });
    renameSync(`${sidecar}.new`, sidecar);
  } catch (cause) {
    database.close();
    throw new TealError("state-directory", `${sidecar} cannot be written`, { cause });
  }
  held.add(database);
  const release = (): void => {
    if (!held.delete(database)) return;
    rmSync(sidecar, { force: true });
    database.close();
  };
  return { owner: describe, release, [Symbol.dispose]: release };
}

function lock(path: string): DatabaseSync {
  let database: DatabaseSync | null = null;
  try {
    ensurePrivateFile(path);
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec("BEGIN EXCLUSIVE");
    return database;
  } catch (cause) {
    if (database?.isOpen === true) database.close();
    if (isBusy(cause)) throw refusal(path, cause);
    throw new TealError(
      "state-directory",
      `${path} cannot be locked: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
      },
    );
  }
}

function refusal(path: string, cause: unknown): TealError {
  const first = readOwner(path);
  if (first === null)
    return new TealError("server-locked", `another process owns ${path}; it has not named itself yet`, { cause });
  const since = new Date(first.since).toISOString();
  return new TealError(
    "server-locked",
    `${path} is owned by the ${first.role} with pid ${String(first.pid)} on ${first.host} since ${since}`,
    { cause },
  );
}

/** Who holds `path`, as it named itself; null when it has not. Says nothing on whether the lock is held. */
export function readOwner(path: string): Owner | null {
  let first: Owner;
  try {
    first = owner.parse(JSON.parse(readFileSync(`${path}.json`, "utf8")));
  } catch {
    // Missing or unreadable: the name is for people alone, the lock is what counts.
    return null;
  }
  return isAlive(first.pid) ? first : null;
}

/** A name that outlived its process (`kill -9`) would send a person after the wrong pid. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM";
  }
}
