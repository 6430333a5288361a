import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SmokeRun } from "../../ports/validation.ts";
import { systemClock } from "../../main/clock.ts";
import { LocalValidator } from "./validator.ts";

const live = new AbortController().signal;
const validator = new LocalValidator({
  clock: systemClock,
  environment: { PATH: process.env["PATH"], SECRET: "do not pass" },
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie whose parent has not reaped it runs no more.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${String(pid)}/status`, "utf8"));
  } catch {
    return false;
  }
}

describe("smoke commands", () => {
  let directory: string;
  let lines: string[];
  const run = (command: SmokeRun["command"]): SmokeRun => ({
    command,
    directory,
    variables: { BASE_URL: "http://127.0.0.1:1" },
    onLine: (line) => lines.push(line),
  });
  const pids = (): number[] => lines.filter((line) => line.startsWith("pid ")).map((line) => Number(line.slice(4)));

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "teal-smoke-"));
    lines = [];
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  it("passes on exit 0; runs in the folder, with its variables and none of Teal's secrets", async () => {
    const result = await validator.command(run('echo "$BASE_URL [$SECRET]"; pwd >&2'), live);
    expect(result).toMatchObject({ passed: true });
    expect(lines.toSorted()).toEqual([directory, "http://127.0.0.1:1 []"]);
  });

  it("runs a list as it is, without a shell", async () => {
    expect(await validator.command(run(["printf", "%s\n", "$HOME"]), live)).toMatchObject({ passed: true });
    expect(lines).toEqual(["$HOME"]);
  });

  it("names exit code and signal, with the last 20 lines of output", async () => {
    const failed = await validator.command(run("seq 1 100; exit 3"), live);
    expect(failed.passed).toBe(false);
    expect(failed.summary).toContain("exited with 3; its last output:\n81\n");
    expect(failed.summary.endsWith("\n100")).toBe(true);
    expect(lines).toHaveLength(100);
    expect((await validator.command(run("kill -9 $$"), live)).summary).toContain("was ended by SIGKILL");
  });

  it("says clearly what could not be started", async () => {
    expect((await validator.command(run("./absent.sh"), live)).summary).toContain(
      "exited with 127 (command not found)",
    );
    expect((await validator.command(run(["./absent.sh"]), live)).summary).toContain("there is no such program");
    await writeFile(join(directory, "plain.sh"), "exit 0");
    expect((await validator.command(run(["./plain.sh"]), live)).summary).toContain("it is not executable");
    const gone = { ...run("true"), directory: join(directory, "gone") };
    expect((await validator.command(gone, live)).summary).toContain("gone is gone");
  });

  it("ends the whole group of a command that hangs, also what ignores SIGTERM", async () => {
    const abort = new AbortController();
    const hanging = validator.command(
      run("sh -c 'trap \"\" TERM; echo pid $$; while :; do sleep 1; done' & echo pid $$; wait"),
      abort.signal,
    );
    const ended = hanging.then(() => null, String);
    await vi.waitUntil(() => pids().length === 2, { timeout: 20_000 });
    const began = performance.now();
    abort.abort(new Error("enough"));
    expect(await ended).toContain("enough");
    expect(performance.now() - began).toBeLessThan(20_000);
    await vi.waitUntil(() => pids().every((pid) => !isAlive(pid)), { timeout: 20_000 });
  });

  it("leaves nothing behind of a command that ends before what it began, and is not held by it", async () => {
    const began = performance.now();
    const result = await validator.command(
      run(
        "sh -c 'trap \"\" TERM; echo pid $$; while :; do sleep 1; done' & while ! [ -e never ] && ! ls /proc/$!/fd >/dev/null; do :; done; sleep 0.3; exit 0",
      ),
      live,
    );
    expect(result.passed).toBe(true);
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(pids()).toHaveLength(1);
    await vi.waitUntil(() => pids().every((pid) => !isAlive(pid)), { timeout: 20_000 });
  });

  it("starts nothing when the signal has aborted already", async () => {
    await expect(validator.command(run("echo pid $$"), AbortSignal.abort(new Error("enough")))).rejects.toThrow(
      "enough",
    );
    expect(lines).toEqual([]);
  });
});
