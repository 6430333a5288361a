import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endLeftovers } from "./leftovers.ts";
import { FAILED, outcomeSchema, PASSED, type Outcome } from "./outcome.ts";
import { run } from "./run.ts";

export interface Stage {
  readonly name: string;
  /** @param remainingMs what is left of the time for the whole run. */
  run(remainingMs: number): Promise<Outcome>;
}

const MINUTE_MS = 60_000;

/** A command that is well or is not. */
function check(name: string, command: readonly string[]): Stage {
  return {
    name,
    async run(remainingMs) {
      const { code, late } = await run(command, { deadlineMs: Math.min(3 * MINUTE_MS, remainingMs) });
      if (late) console.error(`${name}: ended, as its time was over`);
      return code === 0 ? PASSED : FAILED;
    },
  };
}

/** One project of vitest.config.ts. */
function tests(name: string, minutes: number): Stage {
  return {
    name,
    async run(remainingMs) {
      const folder = await mkdtemp(join(tmpdir(), "teal-test-"));
      const marker = `TEAL_TEST_RUN=${randomUUID()}`;
      try {
        const outcome = await vitest(
          name,
          join(folder, "outcome.json"),
          marker,
          Math.min(minutes * MINUTE_MS, remainingMs),
        );
        const left = await endLeftovers(marker);
        for (const { pid, command } of left)
          console.error(`${name}: left behind, now ended: ${String(pid)} ${command}`);
        return { ...outcome, failed: outcome.failed + left.length };
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

async function vitest(project: string, file: string, marker: string, deadlineMs: number): Promise<Outcome> {
  const reporters = ["--reporter=default", "--reporter=./scripts/lib/outcome-reporter.ts"];
  const command = ["vitest", "run", "--project", project, "--passWithNoTests", ...reporters];
  const { code, late } = await run(command, {
    deadlineMs,
    env: { TEAL_TEST_OUTCOME: file, TEAL_TEST_RUN: marker.slice(marker.indexOf("=") + 1) },
  });
  if (late) console.error(`${project}: ended, as its time was over`);
  const outcome = await readOutcome(file);
  // vitest may fail for a reason of its own that is no test's.
  return code !== 0 && outcome.failed === 0 ? { ...outcome, failed: 1 } : outcome;
}

async function readOutcome(file: string): Promise<Outcome> {
  try {
    return outcomeSchema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    console.error(`no outcome: ${String(error)}`);
    return FAILED;
  }
}

/** Fast ones first. Each runs whatever became of those before it. */
export const STAGES: readonly Stage[] = [
  check("format", ["prettier", "--check", "--log-level=warn", "."]),
  check("types", ["tsc", "-p", "tsconfig.json"]),
  check("lint", ["oxlint"]),
  check("layers", ["node", "scripts/layers.ts"]),
  check("unused", ["knip", "--no-progress"]),
  check("generated", ["node", "scripts/generate.ts", "--check"]),
  tests("unit", 5),
  check("bundles", ["node", "scripts/bundle.ts"]),
  tests("integration", 12),
  tests("sites", 14),
  tests("packaging", 5),
];
