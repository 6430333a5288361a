import type { Evidence } from "../evidence.ts";

/** The states and what may follow each, as docs/concepts.md draws them: not the product's own table. */
const PATHS: Readonly<Record<string, readonly string[]>> = {
  planned: ["running", "rolling-back"],
  running: ["waiting", "baking", "completed", "rolling-back"],
  waiting: ["running", "rolling-back"],
  baking: ["completed", "rolling-back"],
  "rolling-back": ["rolled-back", "aborted", "failed", "frozen"],
  frozen: ["rolling-back", "failed"],
};
const ENDED_STEPS = ["done", "failed", "undone", "skipped"];

/** Invariant 3: every deployment and every step of it has come to an end, on a path that there is. */
export function ending({ deployments, steps, events }: Evidence): readonly string[] {
  return [
    ...deployments.flatMap(({ id, state }) => (state in PATHS ? [`${id} is stuck: ${state}`] : [])),
    ...steps.flatMap(({ deployment, id, state }) =>
      ENDED_STEPS.includes(state) || isTakenBack(deployments, deployment)
        ? []
        : [`${id} of ${deployment} is ${state} in the end`],
    ),
    ...events.flatMap(({ type, deployment, data }) => {
      const [from, to] = [String(data["from"]), String(data["to"])];
      return type !== "deployment-state" || PATHS[from]?.includes(to) === true
        ? []
        : [`${String(deployment)} went from ${from} to ${to}`];
    }),
  ];
}

/** A step that was running when its deployment was taken back, and has nothing to undo, stays as it was. */
function isTakenBack(deployments: Evidence["deployments"], id: string): boolean {
  return deployments.some((row) => row.id === id && ["rolled-back", "aborted", "failed"].includes(row.state));
}
