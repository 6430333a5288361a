import { copyFileSync, mkdirSync, openSync, statSync, truncateSync } from "node:fs";
import { dirname, join } from "node:path";
import { withDescriptor } from "./instance-output.ts";
import type { KeeperParts } from "./parts.ts";
import { NODE_FLAGS, type Program, SERVER_FLAGS, SERVER_VARIABLES } from "../wire/launch.ts";
import { runnableNode } from "../wire/node-binary.ts";
import { shiftNumbered } from "../wire/numbered-files.ts";
import { LOG_LIMITS } from "./rotating-log.ts";
import { spawnWatched, type WatchedProcess } from "./watched-process.ts";

/**
 * Starts a runtime bundle as a process of Teal. It writes straight into its log file, not through the keeper: the data plane
 * must never wait for a reader. `listeners` become its descriptors from 3 on.
 */
export async function spawnTeal(
  name: "server" | "proxy",
  program: Program,
  launch: object,
  parts: KeeperParts,
  listeners: readonly number[] = [],
): Promise<WatchedProcess> {
  const path = tealLog(name, parts);
  const node = runnableNode(program.node, parts.log);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  await rotateTealLog(path);
  return withDescriptor(openSync(path, "a", 0o600), (log) =>
    spawnWatched(
      [
        node,
        ...(name === "server" ? SERVER_FLAGS : NODE_FLAGS),
        join(program.runtime, `${name}.mjs`),
        JSON.stringify({ ...launch, runtime: program.runtime }),
      ],
      {
        cwd: parts.paths.root,
        ...(name === "server" ? { env: { ...process.env, ...SERVER_VARIABLES } } : {}),
        stdio: ["ignore", log, log, ...listeners],
      },
    ),
  );
}

export function tealLog(program: "server" | "proxy", parts: KeeperParts): string {
  return join(parts.paths.logs, `${program}.log`);
}

/**
 * Rotates a log that running processes append to: its content moves on by copy, and the file itself is emptied under them.
 * Lines written between the two are lost, so it is done when little is (at a start, or once a minute when it is too large).
 */
export async function rotateTealLog(path: string): Promise<void> {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) < LOG_LIMITS.maxBytes) return;
  await shiftNumbered(path, LOG_LIMITS.files);
  copyFileSync(path, `${path}.1`);
  truncateSync(path);
}
