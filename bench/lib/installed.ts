import { findProgram } from "../../test/requires.ts";

export function isInstalled(program: string): boolean {
  return findProgram(program) !== null;
}

/** @throws with what to do when it is not there */
export function requireProgram(program: string): void {
  if (!isInstalled(program)) throw new Error(`${program} is not installed; as root, scripts/setup installs it`);
}
