import { stat } from "node:fs/promises";
import { toTealError } from "../../model/error.ts";
import type { Clock } from "../../model/time.ts";
import type { CheckResult, SmokeRun } from "../../ports/validation.ts";
import { LineCutter } from "./lines.ts";
import { type GroupEnd, runGroup } from "./process-group.ts";

/** Lines of output that go into the summary. */
const LAST_LINES = 20;

/** Runs a smoke command. `inherited`: what every child gets from Teal's own environment (DESIGN section 10). */
export async function commandCheck(
  run: SmokeRun,
  inherited: Readonly<Record<string, string>>,
  clock: Clock,
  signal: AbortSignal,
): Promise<CheckResult> {
  signal.throwIfAborted();
  const began = clock.monotonic();
  const last: string[] = [];
  const lines = new LineCutter((line) => {
    last.push(line);
    if (last.length > LAST_LINES) last.shift();
    run.onLine(line);
  });
  const result = (passed: boolean, what: string): CheckResult => {
    const output = last.length === 0 ? "" : `; its last output:\n${last.join("\n")}`;
    return {
      passed,
      summary: `${describe(run.command)} ${what}${passed ? "" : output}`,
      tookMs: clock.monotonic() - began,
    };
  };
  const argv = typeof run.command === "string" ? ["/bin/sh", "-c", run.command] : run.command;
  const env = { ...inherited, ...run.variables };
  const onOutput = (chunk: Buffer): void => {
    lines.push(chunk);
  };
  try {
    const end = await runGroup(argv, { cwd: run.directory, env, onOutput }, clock, signal);
    lines.end();
    if (signal.aborted) throw toTealError(signal.reason);
    return result(end.exitCode === 0, words(end));
  } catch (thrown) {
    if (signal.aborted) throw toTealError(signal.reason);
    return result(false, await startFailure(thrown, run));
  }
}

function words(end: GroupEnd): string {
  if (end.exitCode === null) return `was ended by ${String(end.killedBy)}`;
  if (end.exitCode === 0) return "passed";
  const hint = end.exitCode === 127 ? " (command not found)" : end.exitCode === 126 ? " (not executable)" : "";
  return `exited with ${String(end.exitCode)}${hint}`;
}

/** ENOENT of spawn means the program or the folder: says which. */
async function startFailure(thrown: unknown, run: SmokeRun): Promise<string> {
  if (!(thrown instanceof Error) || !("code" in thrown)) throw thrown;
  const there = await stat(run.directory).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!there) return `could not be started: its folder ${run.directory} is gone`;
  if (thrown.code === "ENOENT") return "could not be started: there is no such program";
  if (thrown.code === "EACCES") return "could not be started: it is not executable";
  return `could not be started: ${thrown.message}`;
}

function describe(command: string | readonly string[]): string {
  return typeof command === "string" ? command : command.join(" ");
}
