import { spawnSync } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { CuttableDisk } from "./cuttable-disk.ts";
import { SmallDisk } from "./small-disk.ts";

/** The part of vitest's test context that says that a test cannot run here, and why. */
export interface Skippable {
  skip(reason: string): never;
}

const FOLDERS = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];

/** The program's absolute path, or null when it is not installed. */
export function findProgram(program: string): string | null {
  for (const folder of FOLDERS) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return null;
}

/**
 * For a test of a program that a machine may lack: returns its absolute path, or ends the test as not runnable here.
 * `npm test` lists such tests with their reason; with CI=true they are failures.
 */
export function requires(test: Skippable, program: string): string {
  return findProgram(program) ?? test.skip(`${program} is not installed; as root, scripts/setup installs it`);
}

/** For a test of what IPv6 is needed for: ends it as not runnable here where that is switched off. */
export function requiresIpv6(test: Skippable): void {
  const isThere = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));
  if (!isThere) test.skip("IPv6 is switched off on this machine");
}

/** For a test of what root alone can do: ends it as not runnable here for anybody else. */
export function requiresRoot(test: Skippable): void {
  if (process.getuid?.() !== 0) test.skip("only root can run an app as another user");
}

/** What makes a container's namespaces of processes and mounts; they end with its first process. */
export const UNSHARE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"] as const;

/** For a test of what holds in a container: ends it as not runnable here for who may not make namespaces. */
export function requiresNamespaces(test: Skippable): void {
  const [file, ...options] = UNSHARE;
  if (spawnSync(file, [...options, "true"], { timeout: 20_000 }).status !== 0)
    test.skip("this user may not make namespaces with unshare");
}

/** For a test that fills a disk: ends it as not runnable here for who may not mount one. */
export function requiresSmallDisk(test: Skippable): void {
  const path = mkdtempSync(join(tmpdir(), "teal-disk-"));
  const disk = SmallDisk.mount(path, 1);
  disk?.[Symbol.dispose]();
  rmSync(path, { recursive: true });
  if (disk === null) test.skip("this user may not mount a tmpfs");
}

/** For a test that cuts a disk's power: ends it as not runnable here for who may not mount a file. */
export async function requiresCuttableDisk(test: Skippable): Promise<void> {
  for (const program of ["mkfs.ext4", "mount", "unshare"]) requires(test, program);
  const why = await whyNoCuttableDisk();
  if (why !== null) test.skip(why);
}

let whyNot: Promise<string | null> | null = null;

/** Null where one can be made; tried once. */
export function whyNoCuttableDisk(): Promise<string | null> {
  return (whyNot ??= tryCuttableDisk());
}

async function tryCuttableDisk(): Promise<string | null> {
  const path = mkdtempSync(join(tmpdir(), "teal-disk-"));
  try {
    await CuttableDisk.over(path)[Symbol.asyncDispose]();
    return null;
  } catch (thrown) {
    return `this user may not mount an ext4 from a file: ${String(thrown)}`;
  } finally {
    rmSync(path, { recursive: true });
  }
}
