import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The part of vitest's test context that says that a test cannot run here, and why. */
interface Skippable {
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

/** For a test of what root alone can do: ends it as not runnable here for anybody else. */
export function requiresRoot(test: Skippable): void {
  if (process.getuid?.() !== 0) test.skip("only root can run an app as another user");
}
