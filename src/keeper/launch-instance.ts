import { statSync } from "node:fs";
import type { ErrorCode } from "../model/catalogue.ts";
import { TealError } from "../model/error.ts";
import type { InstanceSpec } from "../wire/keeper.ts";
import { type InstanceOutput, withDescriptor } from "./instance-output.ts";
import { Turns } from "./turns.ts";
import { userIds } from "./user.ts";
import { spawnWatched, type WatchedProcess } from "./watched-process.ts";

/** failed: trying the same again cannot help. retry: the machine is short of something just now. */
export type Launch =
  | { readonly kind: "started"; readonly process: WatchedProcess }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly reason: string }
  | { readonly kind: "retry"; readonly reason: string };

/** Of all instances: to start a process takes this one some 5 ms, and a hundred may be wanted at once. */
const turns = new Turns();

/** Starts the process of an instance with exactly the spec's variables and PORT as its environment. */
export async function launchInstance(spec: InstanceSpec, port: number, output: InstanceOutput): Promise<Launch> {
  if (statSync(spec.directory, { throwIfNoEntry: false })?.isDirectory() !== true) {
    return { kind: "failed", code: "release-missing", reason: `the release's folder ${spec.directory} is gone` };
  }
  try {
    const user = await userIds(spec.user);
    await turns.take();
    const process = await withDescriptor(output.openForApp(user), (fd) =>
      spawnWatched(spec.command, {
        cwd: spec.directory,
        env: { ...spec.variables, PORT: String(port) },
        stdio: ["ignore", fd, fd],
        ...user,
      }),
    );
    return { kind: "started", process };
  } catch (thrown) {
    return spawnFailure(spec, thrown);
  }
}

function spawnFailure(spec: InstanceSpec, thrown: unknown): Launch {
  if (thrown instanceof TealError) return { kind: "failed", code: thrown.code, reason: thrown.message };
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : null;
  const program = spec.command[0] ?? "";
  switch (code) {
    case "ENOENT":
      return {
        kind: "failed",
        code: "command-not-found",
        reason: `the command ${program} was not found in PATH (${spec.variables["PATH"] ?? "not set"})`,
      };
    case "EACCES":
      return { kind: "failed", code: "command-not-found", reason: `the command ${program} is not executable` };
    case "ENOEXEC":
    case "EINVAL":
    case "E2BIG":
      return {
        kind: "failed",
        code: "command-not-found",
        reason: `the command ${program} could not be started: ${code}`,
      };
    default:
      return {
        kind: "retry",
        reason: `the process could not be started: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      };
  }
}
