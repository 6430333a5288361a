import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { LostExample } from "../../../bench/lib/ledger.ts";
import type { TealEvent } from "../../../src/model/event.ts";
import type { DeploymentFact, Evidence, IntentFact, RecordSeen, SplitSeen, StepFact } from "../evidence.ts";
import type { Strike } from "../strike.ts";
import { aborting } from "./aborting.ts";
import { announced } from "./announced.ts";
import { frozen } from "./frozen.ts";
import { goesOn } from "./goes-on.ts";
import { breaches, INVARIANTS, losses, SHOWN_BY } from "./index.ts";

function event(seq: number, type: TealEvent["type"], step: string | null, data: TealEvent["data"] = {}): TealEvent {
  return { seq, at: seq * 1_000, service: "web", deployment: "dep_2", type, step, data };
}

function split(generation: number, blue: number, more: Partial<SplitSeen> = {}): SplitSeen {
  const weights = { blue, green: 100 - blue };
  return {
    at: generation,
    split: { fence: 1, generation, weights },
    deployment: "dep_2",
    reverted: null,
    latches: [],
    record: recorded(generation, weights),
    ...more,
  };
}

function recorded(generation: number, weights: Readonly<Record<string, number>>): RecordSeen {
  const none = { weights: null, generation: null, forced: false };
  return {
    steps: [
      { ...none, id: "healthy", uses: "healthy@1", state: "done" },
      { ...none, id: "shift-100", uses: "shift@1", state: "running", weights, generation },
    ],
    asked: [],
    weights: { blue: 100, green: 0 },
    goingBackTo: null,
    healthy: { blue: 2, green: 2 },
  };
}

/** v2 was deployed to green beside v1 in blue, and v1 was retired. */
const good: Evidence = {
  acknowledged: ["dep_2"],
  unrecorded: [],
  events: [
    event(1, "deployment-accepted", null),
    event(2, "deployment-state", null, { from: "planned", to: "running" }),
    event(3, "step-started", "healthy"),
    event(4, "step-completed", "healthy"),
    event(5, "split-applied", "shift-100", { weights: { blue: 0, green: 100 }, generation: 2 }),
    event(6, "deployment-state", null, { from: "running", to: "completed" }),
    { ...event(7, "environment", null, { environment: "blue", state: "absent" }), deployment: null },
  ],
  // None, as nothing else here looks at it; its own test has one.
  journal: { rows: [], gaps: 0, head: { seq: 0, hash: createHash("sha256").update("teal journal 1:0").digest("hex") } },
  deployments: [
    {
      id: "dep_2",
      goal: "deploy",
      state: "completed",
      from: "blue",
      to: "green",
      version: "v2",
      touchedTraffic: true,
      cause: null,
    },
  ],
  steps: [
    { deployment: "dep_2", id: "healthy", state: "done", startedAt: 3_000, endedAt: 4_000 },
    { deployment: "dep_2", id: "shift-100", state: "done", startedAt: 4_000, endedAt: 6_000 },
  ],
  record: { weights: { blue: 0, green: 100 }, active: "green" },
  versions: { green: "v2" },
  seen: [split(1, 100), split(2, 0)],
  live: { weights: { blue: 0, green: 100 }, armed: null, healthy: [{ environment: "green", count: 2 }] },
  answering: ["v2"],
  answered: { v1: { firstAt: 0, lastAt: 5_000 }, v2: { firstAt: 5_000, lastAt: 9_000 } },
  sameClock: true,
  served: [event(1, "deployment-accepted", null)],
  losses: [],
  kills: [],
  outages: [],
  strikes: [struck("kill", 4_500)],
  wished: { "kill candidate at borders": 1 },
  aborts: [],
  sick: [],
  endings: {},
};

function struck(kind: Strike["kind"], at: number, more: Partial<Strike> = {}): Strike {
  return { kind, at, target: "candidate", border: "shift-100", environment: "green", ...more };
}

const [deployment] = good.deployments;
const [step] = good.steps;
const takenBack = { ...deployment, state: "rolled-back", cause: "keeper-down" } as DeploymentFact;
/** What was on record when green got everything, but for this. */
function moved(change: Partial<RecordSeen>): Partial<Evidence> {
  return { seen: [split(1, 100), split(2, 0, { record: { ...toGreen, ...change } })] };
}
const toGreen = recorded(2, { blue: 0, green: 100 });
const [health, shift] = toGreen.steps as [IntentFact, IntentFact];
const byHand = { weights: { green: 100 }, generation: 2, forced: false };

const abortedRow = { ...deployment, state: "aborted", cause: "abort" } as DeploymentFact;
const lost: LostExample = {
  id: "1",
  kind: "get",
  method: "GET",
  beganAt: 1_000,
  at: 1_001,
  connection: 1,
  reason: "reset",
  detail: "ECONNRESET while waiting",
};

function without(seq: number): readonly TealEvent[] {
  return good.events.filter((one) => one.seq !== seq);
}

test("good evidence breaks nothing", () => {
  expect([...breaches(good), ...losses(good)]).toEqual([]);
});

const TAMPERED: readonly [invariant: string, what: string, change: Partial<Evidence>][] = [
  [
    "order",
    "weights that do not sum to 100",
    { seen: [{ ...split(1, 100), split: { fence: 1, generation: 1, weights: { blue: 90 } } }] },
  ],
  [
    "order",
    "an event with such weights",
    { events: [...good.events, event(8, "split-reverted", null, { weights: { blue: 1 } })] },
  ],
  ["order", "a lower generation after a higher one", { seen: [split(2, 0), split(1, 100)] }],
  [
    "order",
    "a lower fence after a higher one",
    { seen: [{ ...split(1, 100), split: { fence: 2, generation: 1, weights: { blue: 100 } } }, split(2, 0)] },
  ],
  ["order", "nothing live after something", { seen: [split(1, 100), { ...split(2, 0), split: null }] }],
  [
    "order",
    "a deployment that is live again after its latch",
    { seen: [split(1, 100, { latches: [{ deployment: "dep_2", fence: 0 }] }), split(2, 0)] },
  ],
  [
    "order",
    "a fence that is latched",
    { seen: [split(1, 100, { latches: [{ deployment: "dep_1", fence: 1 }] }), split(2, 0)] },
  ],
  ["chain", "a journal without its head", { journal: { ...good.journal, head: null } }],
  ["durability", "an acknowledged deployment without a row", { acknowledged: ["dep_2", "dep_3"] }],
  ["durability", "an acknowledged deployment without its event", { events: without(1) }],
  ["durability", "an event that was served, and is not on record", { served: [event(9, "warning", null)] }],
  ["durability", "an event that was served as another", { served: [event(1, "warning", null)] }],
  ["durability", "an event number that was given twice", { events: [...good.events, event(7, "warning", null)] }],
  ["durability", "a finished step that began again", { events: [...good.events, event(8, "step-started", "healthy")] }],
  [
    "durability",
    "a finished step that finished again",
    { events: [...good.events, event(8, "step-completed", "healthy")] },
  ],
  ["durability", "traffic that no row tells of", { seen: [split(1, 100, { deployment: "dep_9" })] }],
  [
    "ending",
    "a deployment that has not ended",
    { deployments: [...good.deployments, { ...deployment, id: "dep_3", state: "rolling-back" } as never] },
  ],
  ["ending", "a step that still runs", { steps: [{ ...step, state: "running" } as StepFact] }],
  [
    "ending",
    "a way between states that there is not",
    { events: [...good.events, event(8, "deployment-state", null, { from: "completed", to: "running" })] },
  ],
  ["healthGate", "traffic before health", { events: without(4) }],
  ["healthGate", "drift", { events: [...good.events, event(8, "drift", null)] }],
  ["onePlace", "traffic in two places", { live: { ...good.live, weights: { blue: 50, green: 50 } } }],
  ["onePlace", "another active one on record", { record: { ...good.record, active: "blue" } }],
  ["onePlace", "other weights on record", { record: { ...good.record, weights: { blue: 100, green: 0 } } }],
  ["onePlace", "no healthy instance", { live: { ...good.live, healthy: [] } }],
  ["onePlace", "an armed data plane", { live: { ...good.live, armed: "dep_2" } }],
  ["onePlace", "another version that answers", { answering: ["v2", "v1"] }],
  ["onePlace", "nobody who answers", { answering: [] }],
  ["outcome", "the completed one without the traffic", { live: { ...good.live, weights: { blue: 100, green: 0 } } }],
  ["outcome", "another version in its place", { versions: { green: "v1" } }],
  [
    "announced",
    "traffic before a step has written down that it comes",
    moved({ steps: [health, { ...shift, generation: null }] }),
  ],
  [
    "announced",
    "other traffic than was written down",
    moved({ steps: [health, { ...shift, weights: { blue: 50, green: 50 } }] }),
  ],
  ["announced", "what was written down for an earlier split", moved({ steps: [health, { ...shift, generation: 1 }] })],
  ["announced", "traffic before health", moved({ steps: [{ ...health, state: "running" }, shift] })],
  ["announced", "a switch to what is not healthy", moved({ steps: [shift], healthy: { green: 0 } })],
  ["announced", "a split by hand to what is not healthy", moved({ steps: [], asked: [byHand], healthy: { blue: 2 } })],
  ["announced", "a record that could never be read", { seen: [split(1, 100), split(2, 0, { record: null })] }],
  ["aborting", "an abort of what was completed", { aborts: [{ deployment: "dep_2", at: 0 }] }],
  ["aborting", "an abort that nobody knows of", { aborts: [{ deployment: "dep_3", at: 0 }] }],
  [
    "aborting",
    "traffic that was still there after the abort",
    { deployments: [abortedRow], aborts: [{ deployment: "dep_2", at: 5 }] },
  ],
  [
    "aborting",
    "traffic that came after the abort",
    { deployments: [abortedRow], aborts: [{ deployment: "dep_2", at: 5 }], seen: [split(1, 100), split(2_000, 0)] },
  ],
  ["frozen", "more traffic for what is not healthy", { sick: [{ environment: "green", since: 1, until: 5 }] }],
  ["frozen", "a time of which nothing is known", { sick: [{ environment: "green", since: 0, until: 5 }] }],
  ["goesOn", "a good release that was taken back", { deployments: [takenBack] }],
  [
    "goesOn",
    "one that was taken back for another reason than it may be",
    { deployments: [takenBack], endings: { dep_2: [{ state: "rolled-back", cause: "controller-loss" }] } },
  ],
  [
    "goesOn",
    "one that ended in another state than it may",
    { deployments: [takenBack], endings: { dep_2: [{ state: "failed", cause: "keeper-down" }] } },
  ],
  ["goesOn", "a crash loop after one kill", { deployments: [{ ...takenBack, cause: "crash-loop" }] }],
  [
    "goesOn",
    "a validation that failed while all its instances ran",
    { deployments: [{ ...takenBack, state: "failed", cause: "validation-failed" }] },
  ],
  ["landed", "no signal at all", { strikes: [] }],
  ["landed", "a signal after the last step", { strikes: [struck("kill", 6_500)] }],
  ["landed", "a signal before the first step", { strikes: [struck("kill", 2_500)] }],
  [
    "landed",
    "most of them in another step than meant",
    {
      strikes: Array.from({ length: 8 }, (_, index) =>
        struck("kill", 4_500, index < 4 ? { border: "bake" } : {}),
      ).concat(struck("kill", 4_500, { border: "bake" })),
    },
  ],
  ["landed", "a signal of another kind", { strikes: [struck("stop", 4_500)] }],
  ["landed", "a signal to another process", { strikes: [struck("kill", 4_500, { target: "app" })] }],
  [
    "retired",
    "an answer of what was retired",
    {
      answered: { v2: { firstAt: 5_000, lastAt: 19_000 } },
      events: [
        ...good.events,
        { ...event(8, "environment", null, { environment: "green", state: "absent" }), deployment: null },
      ],
    },
  ],
];

test("every invariant has a checker with a counter-test, or a test elsewhere that there is", () => {
  const tampered = new Set(TAMPERED.map(([invariant]) => invariant));
  expect(Object.keys(INVARIANTS).filter((name) => !tampered.has(name))).toEqual([]);
  const root = join(import.meta.dirname, "..", "..", "..");
  const missing = Object.values(SHOWN_BY)
    .flat()
    .filter((name) => !(name in INVARIANTS) && !existsSync(join(root, name)));
  expect(missing).toEqual([]);
});

describe("the checker can fail", () => {
  test.each(TAMPERED)("%s: %s", (invariant, _what, change) => {
    const found = breaches({ ...good, ...change }).map((breach) => breach.slice(0, breach.indexOf(":")));
    expect(found).toContain(invariant);
  });

  test("announced: what is forced, asked for by hand, reverted, going back, or by the record", () => {
    const blind = { healthy: {} };
    const fine: Partial<Evidence>[] = [
      moved({ ...blind, steps: [{ ...shift, forced: true }] }),
      moved({ ...blind, steps: [], asked: [{ ...byHand, forced: true }] }),
      moved({ steps: [], asked: [byHand] }),
      moved({ steps: [], goingBackTo: "green" }),
      moved({ ...blind, steps: [], weights: { green: 100 } }),
      { seen: [split(1, 100), split(2, 0, { reverted: "dep_2", record: null })] },
      { ...moved({ steps: [] }), unrecorded: ["dep_2"] },
    ];
    for (const change of fine) expect(announced({ ...good, ...change })).toEqual([]);
  });

  test("aborting: an abort whose traffic is back; frozen: less traffic, and traffic before and after", () => {
    const back = {
      deployments: [abortedRow],
      aborts: [{ deployment: "dep_2", at: 5 }],
      seen: [split(2, 0), split(4, 100)],
    };
    expect(aborting({ ...good, ...back })).toEqual([]);
    const sick = (environment: string, since: number, until: number) => ({ sick: [{ environment, since, until }] });
    for (const change of [sick("blue", 1, 5), sick("green", 2, 5)]) expect(frozen({ ...good, ...change })).toEqual([]);
  });

  test("goesOn: what may take it back, and two kills of its instances", () => {
    const mayEnd = { deployments: [takenBack], endings: { dep_2: [takenBack] } };
    const twice = [struck("kill", 4_200), struck("kill", 4_800)];
    const looped = { deployments: [{ ...takenBack, cause: "crash-loop" }], strikes: twice };
    const silent = {
      deployments: [{ ...takenBack, state: "failed" as const, cause: "validation-failed" }],
      strikes: [struck("stop", 4_200)],
    };
    for (const change of [mayEnd, looped, silent]) expect(goesOn({ ...good, ...change })).toEqual([]);
    const other = [struck("kill", 4_200), struck("kill", 4_800, { environment: "blue" })];
    expect(goesOn({ ...good, ...looped, strikes: other })).toHaveLength(1);
  });

  test("losses: one that no kill explains", () => {
    expect(losses({ ...good, losses: [lost] })).toHaveLength(1);
    expect(losses({ ...good, losses: [lost], kills: [{ target: "proxy", at: 1_000 }] })).toEqual([]);
  });

  test("losses: one that no outage explains", () => {
    const down = { from: 900, to: 1_100 };
    expect(losses({ ...good, losses: [lost], outages: [down] })).toEqual([]);
    expect(losses({ ...good, losses: [lost], outages: [{ from: 1_002, to: 1_100 }] })).toHaveLength(1);
    expect(losses({ ...good, losses: [{ ...lost, reason: "vanished" }], outages: [down] })).toHaveLength(1);
  });
});
