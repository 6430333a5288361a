import { writeFileSync } from "node:fs";
import type { Reporter, SerializedError, TestCase, TestModule, TestSuite } from "vitest/node";
import type { Outcome } from "./outcome.ts";

/** Writes what a run of vitest came to, as an {@link Outcome}, to the file that TEAL_TEST_OUTCOME names. */
export default class OutcomeReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const file = process.env["TEAL_TEST_OUTCOME"];
    if (file !== undefined) writeFileSync(file, JSON.stringify(outcomeOf(modules, unhandled)));
  }
}

function outcomeOf(modules: readonly TestModule[], unhandled: readonly SerializedError[]): Outcome {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const inState = (state: string): TestCase[] => tests.filter((test) => test.result().state === state);
  // A file that cannot be loaded, or a hook that throws, has failed even where no test of it did.
  const broken = modules.filter((module) => !module.ok() && inState("failed").every((test) => test.module !== module));
  return {
    passed: inState("passed").length,
    failed: inState("failed").length + inState("pending").length + broken.length + unhandled.length,
    skipped: inState("skipped")
      .filter(wasReached)
      .map((test) => ({
        name: `${test.module.relativeModuleId}: ${test.fullName}`,
        reason: reasonOf(test),
      })),
  };
}

/** Whether the hooks around it were well: one that throws has failed itself, and skips what it was for. */
function wasReached(test: TestCase): boolean {
  for (let around: TestSuite | TestModule = test.parent; ; around = around.parent) {
    if (around.errors().length > 0) return false;
    if (around.type === "module") return true;
  }
}

function reasonOf(test: TestCase): string | null {
  const result = test.result();
  return result.state === "skipped" ? (result.note ?? null) : null;
}
