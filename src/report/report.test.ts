import { describe, expect, test } from "vitest";
import type { TealEvent } from "../model/event.ts";
import type { DeploymentRecord } from "../store/deployment-record.ts";
import { NOW, sampleChunk, sampleDeployment, sampleEvent, samplePlan, sampleReceipt } from "../store/samples.ts";
import { sampleSpec } from "../model/samples.ts";
import type { StepRow } from "../store/store.ts";
import { htmlOf } from "./html.ts";
import { markdownOf } from "./markdown.ts";
import { reportPage } from "./pages.ts";
import { reportOf } from "./report.ts";
import { expectWellFormed } from "./testing/well-formed.ts";

const HOSTILE = `</td><script>alert("x")</script> | **bold** [a](javascript:alert(1))\n# head\u202e <img src=x onerror=y> &amp;`;

let seq = 0;
const event = (
  ms: number,
  type: TealEvent["type"],
  data: Record<string, unknown>,
  step: string | null = null,
): TealEvent => ({
  ...sampleEvent({ deployment: "dep_1", type, data, step }),
  at: NOW + ms,
  seq: (seq += 1),
});

function row(id: string, uses: string, more: Partial<StepRow> = {}): StepRow {
  return {
    deployment: "dep_1",
    position: 0,
    id,
    uses,
    title: `step ${id}`,
    input: { environment: "green", weights: { blue: 90, green: 10 }, watchMs: 10_000 },
    worstMs: 60_000,
    state: "done",
    attempt: 1,
    startedAt: NOW,
    endedAt: NOW + 3_000,
    progress: {},
    result: {},
    ...more,
  };
}

const good: DeploymentRecord = {
  deployment: sampleDeployment("dep_1", {
    state: "completed",
    touchedTraffic: true,
    startedAt: NOW,
    endedAt: NOW + 20_000,
  }),
  steps: [
    row("start", "start@1"),
    row("healthy", "healthy@1"),
    row("validate", "validate@1"),
    row("shift-10", "shift@1"),
    row("bake", "bake@1"),
  ],
  receipts: [sampleReceipt({ final: true })],
  leftOut: null,
  events: [
    event(0, "deployment-accepted", { by: "ada", reason: "a new version" }),
    event(10, "split-applied", { weights: { blue: 90, green: 10 }, generation: 2 }, "shift-10"),
    event(3_000, "split-applied", { weights: { blue: 0, green: 100 }, generation: 3 }, "shift-100"),
    event(20_000, "retirement-scheduled", { environment: "blue", at: NOW + 90_000 }),
  ],
  plan: samplePlan,
  approval: null,
  series: [sampleChunk()],
  spec: {
    ...sampleSpec,
    deploy: { ...sampleSpec.deploy, guardrails: { minRequests: 1, errorRate: { rollBack: 0.05 }, latency: {} } },
  },
};

const bad: DeploymentRecord = {
  ...good,
  deployment: {
    ...good.deployment,
    state: "rolled-back",
    reason: HOSTILE,
    by: HOSTILE,
    cause: { kind: "verdict", code: "guardrail-breached", message: "green fails 50 % (5 of 10)" },
  },
  steps: [
    row("healthy", "healthy@1", { state: "undone" }),
    row("shift-10", "shift@1", { state: "failed", result: { code: "guardrail-breached", message: HOSTILE } }),
  ],
  events: [
    event(10, "split-applied", { weights: { blue: 90, green: 10 }, generation: 2 }),
    event(1_500, "guardrail", { rule: "errorRate", action: "rollBack", message: "green fails 50 % (5 of 10)" }),
    event(1_504, "split-reverted", { weights: { blue: 100, green: 0 }, generation: 3, cause: "verdict", tookMs: 3 }),
    event(1_510, "deployment-state", { from: "running", to: "rolling-back" }),
    event(1_600, "drift", { expected: {}, live: "nonsense" }),
  ],
};

const answers = (record: DeploymentRecord): Record<string, string> => {
  const { before, during, after } = reportOf(record).checklist;
  return Object.fromEntries([...before, ...during, ...after].map(({ question, answer }) => [question, answer]));
};

describe("the checklist", () => {
  test("of a good deployment is answered by what is on record, and what only people know is not ticked", () => {
    expect(answers(good)).toEqual({
      "green runs the release and is healthy": "yes",
      "Checks and smoke tests pass on it": "yes",
      "Database migrations are backward compatible": "unknown",
      "What differs in the configuration was shown": "yes",
      "Somebody approved it": "not-asked",
      "The way back was rehearsed": "unknown",
      "The team was told": "unknown",
      "The release was started on green": "yes",
      "The traffic was switched to green": "yes",
      "No request was cut or refused by a switch": "yes",
      "Nobody else changed the split": "yes",
      "Somebody has looked at it by hand": "unknown",
      "It was watched after the switch": "yes",
      "No spike of failures": "yes",
      "No loss of speed": "unknown",
      "The old environment is the standby now": "yes",
      "It is documented": "yes",
    });
  });

  test("of one that was taken back says so", () => {
    expect(
      answers({ ...bad, receipts: [sampleReceipt({ cut: 2 })], approval: { by: "bo", reason: null, at: NOW } }),
    ).toMatchObject({
      "Somebody approved it": "yes",
      "The traffic was switched to green": "no",
      "No request was cut or refused by a switch": "no",
      "Nobody else changed the split": "no",
      "No spike of failures": "no",
      "The old environment is the standby now": "not-asked",
    });
  });

  test("of one whose record has been pruned ticks nothing", () => {
    const pruned = answers({ ...good, steps: [], events: [], plan: null, series: [], spec: null, receipts: [] });
    const ticked = Object.entries(pruned).filter(([, answer]) => answer === "yes");
    expect(ticked).toEqual([["It is documented", "yes"]]);
  });
});

test("a timeline says where it leaves events out, and how many", () => {
  const [first, second] = good.events;
  if (first === undefined || second === undefined) throw new Error("it has events");
  const { timeline } = reportOf({ ...good, events: [first, second], leftOut: { count: 1_204, after: first } });
  expect(timeline.map(({ text }) => text)[1]).toBe("1,204 events that came here are left out");
});

test("an incident says what was seen, when it was decided, how fast the traffic was back, and what it cost", () => {
  expect(reportOf(good).incident).toBeNull();
  expect(reportOf(bad).incident).toEqual({
    kind: "verdict",
    seen: "green fails 50 % (5 of 10)",
    decidedAt: NOW + 1_500,
    exposedMs: 1_490,
    backAt: NOW + 1_504,
    backTookMs: 3,
    requests: 10,
    failures: 1,
  });
});

test("Markdown has every part, and nothing that people typed is markup in it", () => {
  const text = markdownOf(reportOf(bad));
  const headings = [...text.matchAll(/^#+ .*$/gm)].map(([line]) => line);
  expect(headings).toEqual([
    "# Deployment dep\\_1 of web",
    ...[
      "What, who and why",
      "Incident",
      "Traffic",
      "Steps",
      "Receipts",
      "Checklist: before",
      "Checklist: during",
      "Checklist: after",
      "Timeline",
    ].map((title) => `## ${title}`),
  ]);
  expect(text).not.toMatch(/(?<!\\)<|\u202e|(?<!\\)\*\*|(?<!\\)\]\(/);
  // A table has as many cells in each of its rows, whatever is in them.
  const cells = (line: string): number => line.replaceAll(/\\./g, "").split("|").length;
  const tables = text
    .trimEnd()
    .split("\n\n")
    .filter((block) => block.startsWith("|"));
  for (const table of tables) expect(new Set(table.split("\n").map(cells)).size).toBe(1);
  expect(markdownOf(reportOf(good))).toContain(
    "- [x] No request was cut or refused by a switch: 1 switch, 3 in flight, 0 cut, 0 refused by the kernel",
  );
});

describe("the page", () => {
  const breathe = () => Promise.resolve();

  test.each([
    ["a good deployment", good],
    ["one that was taken back, with hostile names and reasons", bad],
    [
      "one of which nothing is kept",
      { ...good, steps: [], events: [], plan: null, series: [], spec: null, receipts: [] },
    ],
  ])("of %s is well-formed, runs nothing and fetches nothing", async (_, record) => {
    const page = await reportPage(record, breathe);
    expectWellFormed(page);
    expect(page).not.toMatch(/<script|<img|<link|<iframe|<[^>]*\son\w+=|\u202e|NaN|undefined/i);
    expect(page).not.toMatch(/(?:src|href)="/);
    expect(page).toContain("default-src &#39;none&#39;");
    expect(page).toContain("prefers-color-scheme:dark");
  });

  test("has its pictures in two widths, where there is traffic", async () => {
    expect((await reportPage(good, breathe)).match(/<svg /g)).toHaveLength(2);
    expect(htmlOf(reportOf(good), null)).not.toContain("<svg");
  });
});
