import { describe, expect, it } from "vitest";
import { event } from "../../sdk/fixtures.ts";
import { deployment, receipt } from "../fixtures.ts";
import type { Update } from "../follow.ts";
import { PlainProgress } from "./plain.ts";

function written(...updates: readonly Update[]): string {
  let text = "";
  const progress = new PlainProgress({ write: (more) => (text += more), terminal: false, columns: 80, rows: 24 });
  for (const update of updates) progress.update(update);
  progress.end();
  return text;
}

const snapshot = (...args: Parameters<typeof deployment>): Update => ({
  kind: "snapshot",
  deployment: deployment(...args),
});
const told = (...args: Parameters<typeof event>): Update => ({ kind: "event", event: event(...args) });

describe("a deployment as lines of a log", () => {
  it("does not tell again, at the end, what was over before it was followed", () => {
    const before = receipt({ final: true });
    const { steps } = deployment("rolling-back");
    const done = steps.map((step) => ({ ...step, state: "done" as const, startedAt: 1_000, endedAt: 2_000 }));
    const [first] = done;
    const text = written(
      snapshot("rolling-back", { steps: done, receipts: [before] }),
      told(1, "step-undone", {}, first?.id),
      snapshot("aborted", { steps: done, receipts: [before] }),
    );
    expect(text).toMatch(/undone/);
    expect(text).not.toMatch(/done in/);
    expect(text.trimEnd().split("\n")).toHaveLength(2);
  });

  it("tells, at the end, what came too late to be told", () => {
    const { steps } = deployment("running");
    const done = steps.map((step) => ({ ...step, state: "done" as const, startedAt: 1_000, endedAt: 2_000 }));
    const text = written(snapshot("running"), snapshot("completed", { steps: done, receipts: [] }));
    expect(text).toMatch(/done in 1 s/);
  });

  it("gives the reason of a failure once", () => {
    const cause = { kind: "failure", code: "not-healthy", message: "no health" };
    const text = written(
      snapshot("running"),
      told(1, "step-failed", { message: "no health", code: "not-healthy" }, "start"),
      told(2, "deployment-state", { to: "rolling-back", cause }),
      told(3, "deployment-state", { to: "failed", cause }),
    );
    expect(text.match(/no health/g)).toHaveLength(1);
    expect(text).toMatch(/is failed$/m);
  });
});
