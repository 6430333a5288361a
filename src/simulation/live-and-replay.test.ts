import { expect, test } from "vitest";
import { FaultyStore } from "../engine/testing/faulty-store.ts";
import { quickSpec, Rig } from "../engine/testing/rig.ts";
import type { ServiceSpec } from "../model/service.ts";
import type { TrafficCounters } from "../model/traffic.ts";
import { recordedTraffic } from "./recorded.ts";
import { replay } from "./replay.ts";

// A replay judges as the deployment was judged: whatever changes the one has to change the other.

const PROBES = {
  checks: [{ path: "/deep", status: 200, body: null, withinMs: null }],
  everyMs: 1_000,
  timeoutMs: 1_000,
};
const GUARDRAILS = {
  ...quickSpec.deploy.guardrails,
  minRequests: 1,
  errorRate: { rollBack: 0.05 },
  worseThanActive: "rollBack",
} as const;

/** Each second green answers twenty requests, of which one or two fail: more than allowed, and not plainly so. */
async function live({
  deploy = {},
  affinity,
  clients = () => undefined,
  meanwhile = () => undefined,
  oftener = false,
}: {
  readonly deploy?: Partial<ServiceSpec["deploy"]>;
  readonly affinity?: ServiceSpec["traffic"]["affinity"];
  /** How those who failed in a second are told apart. */
  readonly clients?: (failures: number, second: number) => TrafficCounters["clients"];
  /** Whether there is a reading between two seconds, too. */
  readonly oftener?: boolean;
  /** Called after each second of traffic. */
  readonly meanwhile?: (rig: Rig, second: number) => Promise<void> | void;
}) {
  const spec = {
    ...quickSpec,
    traffic: { ...quickSpec.traffic, ...(affinity === undefined ? {} : { affinity }) },
    deploy: { ...quickSpec.deploy, guardrails: GUARDRAILS, shift: [{ weight: 10, forMs: 600_000 }], ...deploy },
  };
  const rig = new Rig(new FaultyStore().store);
  rig.spec = spec;
  await rig.engine.start({});
  await rig.deployed("v1");
  let ticks = 0;
  const tick = async (): Promise<void> => {
    ticks += 1;
    // A bit later, and within the same interval of the recording: the reading that decides.
    if (oftener && ticks === 34)
      rig.traffic.countAll("web", { blue: { requests: 30, failures: 0 }, green: { requests: 6, failures: 6 } });
    if (ticks % 10 !== 0) return;
    const failures = ticks % 30 === 0 ? 1 : 2;
    const told = clients(failures, ticks / 10);
    const green = { requests: 20, failures, ...(told === undefined ? {} : { clients: told }) };
    rig.traffic.countAll("web", { blue: { requests: 180, failures: 0 }, green });
    await meanwhile(rig, ticks / 10);
  };
  rig.traffic.count("web", "blue", { requests: 180, failures: 0 });
  const { id } = await rig.deploy("v2");
  await rig.atStep(id, "shift-10");
  const { state, cause } = await rig.until("it has ended", async () => {
    await tick();
    const { deployment } = await rig.engine.control.deployment(id);
    return deployment.endedAt === null ? null : deployment;
  });
  const record = await rig.engine.control.record(id);
  return { state, cause, spec, traffic: recordedTraffic(record) };
}

const KEY = { cookie: "user" } as const;

test.each<[string, Parameters<typeof live>[0]]>([
  ["users alone", {}],
  ["users and probes, which share alpha", { deploy: { probes: PROBES } }],
  ["clients that fail again and again", { affinity: KEY, clients: manyTimesEach }],
  ["two clients at first, and a third later", { affinity: KEY, clients: aThirdLate }],
  [
    "the wall clock is set back",
    { meanwhile: (rig, second) => (second === 2 ? rig.clock.jump(-3_600_000) : undefined) },
  ],
  ["a reading shortly after another decides", { oftener: true }],
  ["another server goes on", { meanwhile: (rig, second) => (second === 2 ? rig.restart() : undefined) }],
])(
  "a replay comes to the very verdict of the deployment: %s",
  async (_, wish) => {
    const { state, cause, spec, traffic } = await live(wish);
    expect(state).toBe("rolled-back");
    const { takenBack } = await replay(traffic, spec);
    // With the count that it took and the odds, which tell of alpha.
    expect(takenBack?.message).toMatch(/^green fails .*the odds that this is chance/);
    expect({ kind: "verdict", code: "guardrail-breached", message: takenBack?.message }).toEqual(cause);
  },
  60_000,
);

test("one client that fails again and again takes nothing back, live or replayed", async () => {
  const wish = { affinity: KEY, clients: oneClient, deploy: { shift: [{ weight: 10, forMs: 30_000 }], bakeMs: 5_000 } };
  const { state, spec, traffic } = await live(wish);
  expect(state).toBe("completed");
  expect(await replay(traffic, spec)).toMatchObject({ takenBack: null, caveats: [] });
  const { affinity: _none, ...others } = spec.traffic;
  expect((await replay(traffic, { ...spec, traffic: others })).takenBack).toMatchObject({ rule: "worseThanActive" });
}, 60_000);

/** In each second a new one fails, and sometimes again. */
function manyTimesEach(failures: number): TrafficCounters["clients"] {
  return failures === 1 ? { failing: 1, repeats: 0 } : { failing: 1, repeats: 1 };
}

function aThirdLate(failures: number, second: number): TrafficCounters["clients"] {
  return { failing: second === 1 ? 2 : second === 12 ? 1 : 0, repeats: failures > 1 && second % 2 === 0 ? 1 : 0 };
}

function oneClient(failures: number, second: number): TrafficCounters["clients"] {
  return second % 10 === 1
    ? { failing: second === 1 ? 1 : 0, repeats: failures - 1 }
    : { failing: 0, repeats: failures };
}
