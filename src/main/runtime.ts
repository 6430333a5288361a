import { copyFile, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { TealError } from "../model/error.ts";
import type { EpochMilliseconds, Milliseconds } from "../model/time.ts";
import { makeFolder, syncPath } from "../wire/durable-file.ts";
import { hashOf, readRuntimeVersion, VERSION_FILE, type RuntimeVersion } from "./runtime-version.ts";

/** Copies in the making; their names can be no version's. */
const UNFINISHED = ".new-";
const SETTLED_AFTER_MS: Milliseconds = 3_600_000;
/** Times that a copy is made when the package's own folder changes under it (an upgrade, a build). */
const ATTEMPTS = 3;

/**
 * Copies the runtime bundles of the package to `<stateRuntimeDir>/<version>`, which never changes afterwards: the code
 * under a running process outlives an upgrade of the package. Atomic and idempotent; several may do it at once.
 * @returns the folder with the bundles.
 * @throws TealError `internal` for a damaged package, `state-directory` when the copy cannot be written.
 */
export async function installRuntime(source: string, stateRuntimeDir: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const wanted = await readRuntimeVersion(source);
    const folder = join(stateRuntimeDir, wanted.version);
    if (await isIntact(folder, wanted)) return folder;
    try {
      if (await place(source, stateRuntimeDir, wanted)) return folder;
    } catch (cause) {
      throw new TealError("state-directory", `the runtime cannot be copied to ${folder}`, { cause });
    }
    if (attempt === ATTEMPTS) {
      throw new TealError("internal", `the bundles in ${source} are not those that its ${VERSION_FILE} names`, {
        remedy: "Install the package again; in a checkout run `npm run build`.",
      });
    }
  }
}

/**
 * Removes every version that is not in `inUse`, and what interrupted copies left behind. What was made within the last
 * hour stays: somebody may be about to start from it.
 * @param inUse names of versions, as in VERSION.json, that a process runs from.
 * @returns the names removed.
 */
export async function pruneRuntimes(
  stateRuntimeDir: string,
  inUse: readonly string[],
  now: EpochMilliseconds = Date.now(),
): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const name of await namesIn(stateRuntimeDir)) {
    const folder = join(stateRuntimeDir, name);
    if (inUse.includes(name) || (await stat(folder)).mtimeMs > now - SETTLED_AFTER_MS) continue;
    await rm(folder, { recursive: true, force: true });
    removed.push(name);
  }
  return removed;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isCode(error, "ENOENT")) return [];
    throw error;
  }
}

/** Whether `folder` holds exactly these bundles: a disk or a person may have taken some of them. */
async function isIntact(folder: string, wanted: RuntimeVersion): Promise<boolean> {
  try {
    return (await hashOf(folder, wanted.files)) === wanted.hash;
  } catch (error) {
    if (isCode(error, "ENOENT") || isCode(error, "ENOTDIR")) return false;
    throw error;
  }
}

/** @returns false when what was copied is not what VERSION.json promised. */
async function place(source: string, stateRuntimeDir: string, wanted: RuntimeVersion): Promise<boolean> {
  await makeFolder(stateRuntimeDir, 0o700);
  const unfinished = await mkdtemp(join(stateRuntimeDir, UNFINISHED));
  try {
    for (const name of [...wanted.files, VERSION_FILE]) {
      await copyFile(join(source, name), join(unfinished, name));
      await syncPath(join(unfinished, name));
    }
    if (!(await isIntact(unfinished, wanted))) return false;
    await syncPath(unfinished);
    await moveTo(unfinished, join(stateRuntimeDir, wanted.version), wanted);
    await syncPath(stateRuntimeDir);
    return true;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function moveTo(unfinished: string, folder: string, wanted: RuntimeVersion): Promise<void> {
  try {
    await rename(unfinished, folder);
  } catch (error) {
    if (!isCode(error, "ENOTEMPTY") && !isCode(error, "EEXIST")) throw error;
    // Somebody else was first; or a damaged copy stands there, which nothing can run from.
    if (await isIntact(folder, wanted)) return;
    await rm(folder, { recursive: true, force: true });
    await rename(unfinished, folder);
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
