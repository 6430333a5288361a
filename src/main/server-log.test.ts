import { expect, onTestFinished, test } from "vitest";
import { Hub } from "../engine/hub.ts";
import { TealError } from "../model/error.ts";
import type { TealEvent } from "../model/event.ts";
import { logEvents, reporter, serverLog } from "./server-log.ts";

function made(level?: string) {
  const lines: Record<string, unknown>[] = [];
  const log = serverLog(level, { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) });
  const hub = new Hub();
  const ended = new AbortController();
  onTestFinished(() => {
    ended.abort();
  });
  logEvents(log, hub, ended.signal);
  const tell = (type: TealEvent["type"], step: string | null, data: TealEvent["data"]): void => {
    hub.publish("event", { seq: 1, at: 0, service: "web", deployment: "dep_1", type, step, data });
  };
  return { lines, log, tell };
}

test("a line about a deployment has it, its service, the step and the attempt as fields", () => {
  const { lines, tell } = made();
  tell("deployment-accepted", null, { goal: "deploy", version: "v2", from: "blue", to: "green" });
  tell("step-started", "shift-10", { title: "t", uses: "shift@1", attempt: 2, worstMs: 1 });
  tell("step-completed", "shift-10", { tookMs: 5 });
  tell("deployment-state", null, { from: "running", to: "completed", cause: null });
  expect(lines).toMatchObject([
    { msg: "deployment-accepted", deployment: "dep_1", service: "web", goal: "deploy", version: "v2" },
    { msg: "step-started", deployment: "dep_1", service: "web", step: "shift-10", attempt: 2, uses: "shift@1" },
    { msg: "step-completed", deployment: "dep_1", service: "web", step: "shift-10", attempt: 2, tookMs: 5 },
    { msg: "deployment-state", deployment: "dep_1", service: "web", from: "running", to: "completed" },
  ]);
  expect(lines[3]).not.toHaveProperty("step");
});

test("what an app or a person said stays out of the log, as a secret may be in it", () => {
  const { lines, tell } = made("trace");
  tell("warning", null, { code: "step-failed", message: "canary-7", remedy: "canary-7" });
  tell("deployment-accepted", null, { goal: "deploy", reason: "canary-7", by: "canary-7", warnings: ["canary-7"] });
  tell("step-failed", "start", { code: "crash-loop", message: "canary-7", remedy: "" });
  expect(lines).toHaveLength(3);
  expect(JSON.stringify(lines)).not.toContain("canary");
});

test("the level says what is written; one that is none is told, and is info", () => {
  const quiet = made("error");
  quiet.tell("deployment-state", null, { from: "planned", to: "running" });
  reporter(quiet.log)(new TealError("keeper-down", "gone"), { service: "web" });
  expect(quiet.lines).toEqual([]);
  const usual = made();
  usual.tell("instance", null, {});
  expect(usual.lines).toEqual([]);
  const wrong = made("loud");
  wrong.tell("deployment-state", null, { from: "planned", to: "running" });
  expect(wrong.lines.map(({ msg }) => msg)).toEqual([
    "TEAL_LOG_LEVEL is none of the levels; it is info",
    "deployment-state",
  ]);
});
