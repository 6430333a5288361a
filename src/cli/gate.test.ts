import { describe, expect, it } from "vitest";
import { event, eventually } from "../sdk/fixtures.ts";
import { deployment } from "./fixtures.ts";
import { ApprovalGate, type GateAnswer } from "./gate.ts";

/** A gate whose question a test answers, and what it did meanwhile. */
function gate() {
  const did: string[] = [];
  let question: { answer: (answer: GateAnswer) => void; signal: AbortSignal } | null = null;
  const progress = () => ({
    update: (update: { kind: string }) => did.push(update.kind),
    end: () => did.push("end"),
  });
  const made = new ApprovalGate(progress(), {
    progress: () => Promise.resolve(progress()),
    ask: (signal) =>
      new Promise((resolve) => {
        question = { answer: resolve, signal };
        signal.addEventListener("abort", () => {
          resolve("leave");
        });
      }),
    act: (answer) => {
      did.push(answer);
      return Promise.resolve();
    },
    look: () => Promise.resolve(deployment("running")),
    failed: (thrown) => did.push(String(thrown)),
  });
  const came = (to: string): void => {
    made.update({ kind: "event", event: event(1, "deployment-state", { from: "running", to, cause: null }) });
  };
  return { made, did, came, asked: () => question };
}

describe("the question at the terminal", () => {
  it("takes the picture away, does what is answered, and shows the deployment again", async () => {
    const { made, did, came, asked } = gate();
    made.update({ kind: "snapshot", deployment: deployment("running") });
    came("waiting");
    expect(did).toEqual(["snapshot", "event", "end"]);
    asked()?.answer("approve");
    await eventually(() => did.length === 5, "it is shown again");
    expect(did.slice(3)).toEqual(["approve", "snapshot"]);
    came("running");
    made.end();
    expect(did.slice(5)).toEqual(["event", "end"]);
  });

  it("goes away when somebody else has answered, and does nothing then", async () => {
    const { did, came, asked } = gate();
    came("waiting");
    came("running");
    expect(asked()?.signal.aborted).toBe(true);
    await eventually(() => did.includes("snapshot"), "it is shown again");
    expect(did).toEqual(["event", "end", "snapshot"]);
  });

  it("leaves no picture standing when everything ended during the question", async () => {
    const { made, did, came } = gate();
    came("waiting");
    made.end();
    await eventually(() => did.length === 4, "the last picture");
    expect(did).toEqual(["event", "end", "snapshot", "end"]);
  });
});
