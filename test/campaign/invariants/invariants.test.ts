import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { LostExample } from "../../../bench/lib/ledger.ts";
import type { TealEvent } from "../../../src/model/event.ts";
import type { Evidence, SplitSeen } from "../evidence.ts";
import { breaches, losses } from "./index.ts";

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
    ...more,
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
    },
  ],
  steps: [{ deployment: "dep_2", id: "healthy", state: "done" }],
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
};

const [deployment] = good.deployments;
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
  ["ending", "a step that still runs", { steps: [{ deployment: "dep_2", id: "healthy", state: "running" }] }],
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

describe("the checker can fail", () => {
  test.each(TAMPERED)("%s: %s", (invariant, _what, change) => {
    const found = breaches({ ...good, ...change }).map((breach) => breach.slice(0, breach.indexOf(":")));
    expect(found).toContain(invariant);
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
