import { expect, test } from "vitest";
import type { InstanceReport } from "../../../wire/keeper.ts";
import { observation } from "./observation.ts";

const report = (state: InstanceReport["state"], more: Partial<InstanceReport> = {}): InstanceReport => ({
  id: "web/blue/v1/0",
  service: "web",
  environment: "blue",
  release: "v1",
  ordinal: 0,
  state,
  code: null,
  address: null,
  pid: null,
  restarts: 0,
  reason: null,
  startedAt: 1,
  ...more,
});

test.each([
  [[], "absent"],
  [["stopped"], "absent"],
  [["ready", "ready"], "ready"],
  [["ready", "stopped"], "ready"],
  [["ready", "starting"], "starting"],
  [["ready", "backoff"], "starting"],
  [["ready", "stopping"], "stopping"],
  [["starting", "crash-loop"], "failed"],
  [["stopping", "failed"], "failed"],
] as const)("%j is %s", (states, expected) => {
  expect(
    observation(
      "blue",
      states.map((state) => report(state)),
    ).state,
  ).toBe(expected);
});

test("while one release replaces another, the newer one is meant", () => {
  const reports = [
    report("ready", { release: "v2", startedAt: 9 }),
    report("stopping", { release: "v1", startedAt: 3 }),
  ];
  expect(observation("blue", reports).release).toBe("v2");
});

test("a code that this version does not know is internal", () => {
  expect(observation("blue", [report("failed", { code: "of-the-future" })]).instances[0]?.code).toBe("internal");
});
