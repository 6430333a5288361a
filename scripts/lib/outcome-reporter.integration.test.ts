import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { outcomeSchema, type Outcome } from "./outcome.ts";
import { ROOT } from "./root.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "teal-reporter-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Runs vitest itself over one test file with this source. */
function outcomeOf(source: string): Outcome {
  writeFileSync(join(folder, "a.test.ts"), source);
  const file = join(folder, "outcome.json");
  const reporter = `--reporter=${ROOT}scripts/lib/outcome-reporter.ts`;
  spawnSync("vitest", ["run", "--root", folder, "--globals", reporter], {
    env: { ...process.env, TEAL_TEST_OUTCOME: file },
    timeout: 60_000,
  });
  return outcomeSchema.parse(JSON.parse(readFileSync(file, "utf8")));
}

it("counts what passed and what failed", () => {
  const source = `it("a", () => {}); it("b", () => { throw new Error("b"); }); it("c", () => {});`;
  expect(outcomeOf(source)).toEqual({ passed: 2, failed: 1, skipped: [] });
});

it("keeps the reason of a skipped test, and notices when there is none", () => {
  const source = `it("a", (test) => { test.skip("no wrk"); }); it.skip("b", () => {}); it.todo("c");`;
  expect(outcomeOf(source)).toEqual({
    passed: 0,
    failed: 0,
    skipped: [
      { name: "a.test.ts: a", reason: "no wrk" },
      { name: "a.test.ts: b", reason: null },
      { name: "a.test.ts: c", reason: null },
    ],
  });
});

it("counts a file that cannot be loaded as a failure", () => {
  expect(outcomeOf(`import "./nowhere.ts"; it("a", () => {});`)).toMatchObject({ failed: 1 });
});

it("counts a hook that throws after tests that passed", () => {
  expect(outcomeOf(`afterAll(() => { throw new Error("left open"); }); it("a", () => {});`)).toMatchObject({
    failed: 1,
  });
});

it("counts an error that no test waited for", () => {
  expect(outcomeOf(`it("a", () => { void Promise.reject(new Error("nobody")); });`)).toMatchObject({ failed: 1 });
});

it("counts a hook that throws before its tests once, and them not at all", () => {
  const suite = `describe("s", () => { beforeAll(() => { throw new Error("no port"); }); it("a", () => {}); it("b", () => {}); });`;
  expect(outcomeOf(suite)).toEqual({ passed: 0, failed: 1, skipped: [] });
  const file = `beforeAll(() => { throw new Error("no port"); }); it("a", () => {}); it("b", () => {});`;
  expect(outcomeOf(file)).toEqual({ passed: 0, failed: 1, skipped: [] });
});
