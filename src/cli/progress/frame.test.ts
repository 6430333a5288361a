import { describe, expect, it } from "vitest";
import { event } from "../../sdk/fixtures.ts";
import { deployment, receipt } from "../fixtures.ts";
import { styleFor } from "../style.ts";
import { width } from "../words/table.ts";
import { frame } from "./frame.ts";
import { DeploymentView } from "./view.ts";

const style = styleFor({ write: () => undefined, terminal: false, columns: 80, rows: 24 }, {});
const NOW = 1_700_000_010_000;

function drawn(view: DeploymentView, columns = 80, last = false): string {
  return frame(view, { now: NOW, columns, style, tick: 0, last }).join("\n");
}

describe("the picture of a deployment", () => {
  it("marks steps as they go, with their times, words and numbers", () => {
    const view = new DeploymentView(deployment("running"));
    view.apply({ kind: "event", event: event(1, "step-completed", { tookMs: 1_500 }, "start") });
    view.apply({ kind: "event", event: event(3, "step-started", { title: "x" }, "shift-100") });
    view.apply({ kind: "event", event: event(4, "step-progress", { message: "holding" }, "shift-100") });
    view.apply({ kind: "event", event: event(5, "split-applied", { weights: { blue: 0, green: 100 } }) });
    view.apply({
      kind: "event",
      event: event(6, "guardrail", { message: "green: 120 requests, 0 % errors", action: "none" }),
    });
    expect(drawn(view)).toMatch(/^web {2}deploy v2 {2}blue → green +0:10$/m);
    expect(drawn(view)).toMatch(/^ {2}✓ Start 2 instances on green +1\.5 s$/m);
    expect(drawn(view)).toMatch(/^ {2}⠋ Give green 100 % of the traffic +0:07$/m);
    expect(drawn(view)).toMatch(/^ {4}holding$/m);
    const told = deployment("running");
    const steps = told.steps.map((step) => ({ ...step, message: `${step.id}: 312 probes` }));
    view.apply({ kind: "progress", deployment: { ...told, steps } });
    expect(drawn(view)).toMatch(/^ {4}shift-100: 312 probes$/m);
    expect(drawn(view)).not.toContain("start: 312 probes");
    expect(drawn(view)).toMatch(/blue 0 % ▓{40} green 100 %/);
    expect(drawn(view)).toMatch(/120 requests/);
  });

  it("shows why a step failed, and what is undone", () => {
    const view = new DeploymentView(deployment("running"));
    view.apply({
      kind: "event",
      event: event(1, "step-failed", { message: "no health", code: "not-healthy" }, "start"),
    });
    expect(drawn(view, 80, true)).toMatch(/✗ Start 2 instances on green/);
    expect(drawn(view, 80, true)).toMatch(/no health/);
    view.apply({ kind: "event", event: event(2, "step-undone", {}, "start") });
    expect(drawn(view, 80, true)).toMatch(/↶ Start 2 instances on green/);
  });

  it("is put right by a snapshot after a lost connection", () => {
    const view = new DeploymentView(deployment("running"));
    view.apply({ kind: "lost" });
    expect(drawn(view)).toMatch(/The server is away/);
    view.apply({ kind: "snapshot", deployment: deployment("completed", { receipts: [receipt()] }) });
    expect(drawn(view)).not.toMatch(/The server is away/);
    expect(view.steps.every(({ state }) => state === "done")).toBe(true);
    expect(view.split).toEqual({ blue: 0, green: 100 });
  });

  it("keeps a final receipt when an older one comes late", () => {
    const view = new DeploymentView(deployment("running", { receipts: [receipt({ drained: 12, final: true })] }));
    view.apply({ kind: "event", event: event(1, "receipt", receipt({ drained: 3, final: false })) });
    expect(view.receipts.get(4)?.drained).toBe(12);
  });

  it("shows the words of guardrails whole, over several lines, and all of a failure when it stays", () => {
    const view = new DeploymentView(deployment("running"));
    const words =
      "green: 3.1 % of 1,204 requests failed, blue 0.2 %; p95 is 812 ms, above 1 s is the limit; p99 as usual";
    view.apply({ kind: "event", event: event(1, "guardrail", { message: words, action: "warn" }) });
    const shown = drawn(view, 60).split("\n");
    const at = shown.findIndex((line) => line.includes("green: 3.1 %"));
    expect(
      shown
        .slice(at, at + 2)
        .map((line) => line.trim())
        .join(" "),
    ).toBe(words);
    view.apply({ kind: "event", event: event(3, "step-failed", { message: words, code: "x" }, "shift-100") });
    expect(drawn(view, 200).match(/green: 3.1 %/g)).toHaveLength(1);
    const long = "word ".repeat(200).trim();
    view.apply({ kind: "event", event: event(2, "step-failed", { message: long, code: "not-healthy" }, "start") });
    expect(drawn(view, 60)).toMatch(/word…$/m);
    expect(drawn(view, 60, true).match(/word/g)).toHaveLength(200);
  });

  it.each([20, 40, 80, 200])("has no line wider than a terminal of %i columns", (columns) => {
    const view = new DeploymentView(deployment("running"));
    view.apply({ kind: "event", event: event(1, "warning", { message: "long ".repeat(60), code: "drift" }) });
    view.apply({ kind: "event", event: event(2, "guardrail", { message: "numbers ".repeat(60) }) });
    view.apply({ kind: "event", event: event(3, "split-applied", { weights: { blue: 99, green: 1 } }) });
    for (const line of drawn(view, columns).split("\n")) expect(width(line)).toBeLessThan(columns);
  });
});
