import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { expect, it } from "vitest";
import { endLeftovers } from "./leftovers.ts";
import { run } from "./run.ts";

it("tells success from failure", async () => {
  expect(await run(["sh", "-c", "exit 0"])).toEqual({ code: 0, late: false });
  expect(await run(["sh", "-c", "exit 3"])).toEqual({ code: 3, late: false });
});

it("ends a command with its children when the time is over", async () => {
  const started = performance.now();
  expect(await run(["sh", "-c", "sleep 30 & sleep 30"], { deadlineMs: 200 })).toEqual({ code: null, late: true });
  expect(performance.now() - started).toBeLessThan(5_000);
});

it("says that there is no such program", async () => {
  await expect(run(["no-such-program-of-ours"])).rejects.toThrow(/ENOENT/);
});

it.runIf(process.platform === "linux")("finds and ends a process that a test left behind", async () => {
  const marker = `TEAL_TEST_RUN=${randomUUID()}`;
  const [name = "", value = ""] = marker.split("=");
  const child = spawn("sleep", ["30"], { env: { ...process.env, [name]: value }, stdio: "ignore" });
  const ended = once(child, "exit");
  expect(await endLeftovers(marker)).toEqual([{ pid: child.pid, command: "sleep 30" }]);
  expect(await ended).toEqual([null, "SIGKILL"]);
  expect(await endLeftovers(marker)).toEqual([]);
});
