import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import type { StatePaths } from "../wire/paths.ts";

/** Calls `use` with a descriptor of keeper.log: what a keeper says before it has opened that itself. @throws what the disk refuses */
export function withKeeperLog<T>({ logs }: StatePaths, use: (fd: number) => T): T {
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const log = openSync(join(logs, "keeper.log"), "a", 0o600);
  try {
    return use(log);
  } finally {
    closeSync(log);
  }
}
