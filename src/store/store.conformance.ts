import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { MaintenanceRecord } from "../model/maintenance.ts";
import {
  NOW,
  sampleAcceptance,
  sampleChunk,
  sampleDeployment,
  sampleEvent,
  samplePlan,
  sampleReceipt,
  sampleRelease,
} from "./samples.ts";
import type { Store, Transition } from "./store.ts";
import { changeConformance } from "./changes.conformance.ts";

/** Where a store under test lives: opened, and opened again on the same record as after a restart. */
export interface StoreHome {
  open(): Promise<Store>;
  remove(): Promise<void>;
}

/** What every store does. A store that cannot do one of these says so beside its call, with the reason. */
export function storeConformance(name: string, home: () => Promise<StoreHome>): void {
  describe(`store: ${name}`, () => {
    let place: StoreHome;
    let store: Store;
    beforeEach(async () => {
      place = await home();
      store = await place.open();
    });
    afterEach(async () => {
      await store.close();
      await place.remove();
    });
    const reopen = async (): Promise<void> => {
      await store.close();
      store = await place.open();
    };
    const get = (): Store => store;
    claims(get);
    acceptance(get, reopen);
    transitions(get, reopen);
    refusals(get);
    records(get, reopen);
    changeConformance(get, reopen);
    tokenRows(get, reopen);
    eventLog(get, reopen);
  });
}

type Get = () => Store;

function change(over: Partial<Transition>): Transition {
  return { service: "web", fence: 1, at: NOW + 1, events: [], ...over };
}

/** Fence 1, deployment dep_1 accepted. */
async function begun(store: Store): Promise<void> {
  await store.claim("web", 0);
  await store.accept(sampleAcceptance("dep_1"));
}

function claims(get: Get): void {
  test("a claim makes the row and raises the fence above stored and observed", async () => {
    expect(await get().service("web")).toBeNull();
    expect(await get().claim("web", 0)).toEqual({
      service: "web",
      fence: 1,
      generation: 0,
      weights: {},
      active: null,
      standby: null,
    });
    expect((await get().claim("web", 0)).fence).toBe(2);
    expect((await get().claim("web", 41)).fence).toBe(42);
    expect((await get().claim("web", 7)).fence).toBe(43);
    await get().claim("api", 0);
    expect((await get().services()).map((row) => [row.service, row.fence])).toEqual([
      ["api", 1],
      ["web", 43],
    ]);
  });
}

function acceptance(get: Get, reopen: () => Promise<void>): void {
  test("an accepted deployment has its plan, its steps, its release and its events, also after a restart", async () => {
    await get().claim("web", 0);
    expect(await get().accept(sampleAcceptance("dep_1"))).toMatchObject({
      kind: "accepted",
      events: [{ seq: 1, type: "deployment-accepted", deployment: "dep_1" }],
    });
    await reopen();
    expect(await get().deployment("dep_1")).toEqual(sampleDeployment("dep_1"));
    expect(await get().plan("dep_1")).toEqual(samplePlan);
    const steps = await get().steps("dep_1");
    expect(steps.map((step) => step.id)).toEqual(["start", "shift-10", "bake"]);
    expect(steps[1]).toEqual({
      deployment: "dep_1",
      position: 1,
      id: "shift-10",
      uses: "shift@1",
      title: "step shift-10",
      input: { environment: "green", weights: { blue: 90, green: 10 }, watchMs: 60_000 },
      worstMs: 60_000,
      state: "pending",
      attempt: 0,
      startedAt: null,
      endedAt: null,
      progress: {},
      result: null,
    });
    expect(await get().release("web", "v2")).toEqual(sampleRelease);
    expect((await get().events(0, 10)).map((event) => event.type)).toEqual(["deployment-accepted"]);
  });

  test("a second one is busy until the first has ended, and leaves nothing behind", async () => {
    await begun(get());
    const second = await get().accept(sampleAcceptance("dep_2", { release: { ...sampleRelease, id: "v3" } }));
    expect(second).toEqual({ kind: "busy", deployment: sampleDeployment("dep_1") });
    expect(await get().deployment("dep_2")).toBeNull();
    expect(await get().release("web", "v3")).toBeNull();
    expect(await get().lastSeq()).toBe(1);
    await get().transition(change({ deployment: { id: "dep_1", state: "rolling-back" } }));
    expect(await get().accept(sampleAcceptance("dep_2"))).toMatchObject({ kind: "busy" });
    await get().transition(change({ deployment: { id: "dep_1", state: "frozen" } }));
    expect(await get().accept(sampleAcceptance("dep_2"))).toMatchObject({ kind: "busy" });
    await get().transition(change({ deployment: { id: "dep_1", state: "failed" } }));
    expect(await get().accept(sampleAcceptance("dep_2"))).toMatchObject({ kind: "accepted" });
  });

  test("another service is not kept out", async () => {
    await begun(get());
    const deployment = sampleDeployment("dep_2", { service: "api" });
    expect(await get().accept(sampleAcceptance("dep_2", { deployment, release: null }))).toMatchObject({
      kind: "accepted",
    });
    expect((await get().unfinished()).map((row) => row.id)).toEqual(["dep_1", "dep_2"]);
    expect((await get().unfinished("api")).map((row) => row.id)).toEqual(["dep_2"]);
    expect(await get().unfinished("none")).toEqual([]);
  });

  test("the same idempotency key answers with the first one, running or ended; a key belongs to its service", async () => {
    await get().claim("web", 0);
    await get().accept(sampleAcceptance("dep_1", { idempotencyKey: "k" }));
    expect(await get().accept(sampleAcceptance("dep_2", { idempotencyKey: "k" }))).toMatchObject({
      kind: "repeated",
      deployment: { id: "dep_1" },
    });
    await get().transition(change({ deployment: { id: "dep_1", state: "running" } }));
    await get().transition(change({ deployment: { id: "dep_1", state: "completed" } }));
    expect(await get().accept(sampleAcceptance("dep_2", { idempotencyKey: "k" }))).toMatchObject({
      kind: "repeated",
      deployment: { id: "dep_1", state: "completed" },
    });
    expect(await get().withKey("web", "k")).toMatchObject({ id: "dep_1" });
    expect(await get().withKey("api", "k")).toBeNull();
    const deployment = sampleDeployment("dep_3", { service: "api" });
    expect(
      await get().accept(sampleAcceptance("dep_3", { deployment, release: null, idempotencyKey: "k" })),
    ).toMatchObject({ kind: "accepted" });
  });

  test("an abort is known by the key of its request, of which the first one counts, within its service", async () => {
    await get().claim("web", 0);
    await get().accept(sampleAcceptance("dep_1"));
    await get().transition(change({ deployment: { id: "dep_1", state: "rolling-back" } }));
    await get().transition(change({ deployment: { id: "dep_1", state: "failed" } }));
    await get().accept(sampleAcceptance("dep_2"));
    expect(await get().abortedWithKey("web", "k")).toBeNull();
    await get().rememberAbort("web", "k", "dep_1");
    await get().rememberAbort("web", "k", "dep_2");
    expect(await get().abortedWithKey("web", "k")).toMatchObject({ id: "dep_1", state: "failed" });
    expect(await get().abortedWithKey("api", "k")).toBeNull();
    expect(await get().withKey("web", "k")).toBeNull();
  });

  test("accepting the same deployment again, as after a lost answer, is accepted and makes nothing twice", async () => {
    await begun(get());
    expect(await get().accept(sampleAcceptance("dep_1"))).toMatchObject({
      kind: "accepted",
      events: [{ seq: 1, type: "deployment-accepted", deployment: "dep_1" }],
    });
    expect(await get().steps("dep_1")).toHaveLength(3);
    expect(await get().lastSeq()).toBe(1);
    const deployment = sampleDeployment("dep_2", { service: "api" });
    const keyed = sampleAcceptance("dep_2", { deployment, release: null, idempotencyKey: "k" });
    await get().accept(keyed);
    expect(await get().accept(keyed)).toMatchObject({ kind: "accepted", events: [{ seq: 2, deployment: "dep_2" }] });
  });
}

function transitions(get: Get, reopen: () => Promise<void>): void {
  test("one transition writes all that it names, and answers the numbered events", async () => {
    await begun(get());
    await get().transition(
      change({ retirement: { set: { service: "web", environment: "old", release: "v0", at: NOW } } }),
    );
    const events = await get().transition(
      change({
        deployment: { id: "dep_1", state: "running", touchedTraffic: true },
        steps: [
          { id: "start", state: "done", endedAt: NOW + 1, result: { instances: 2 } },
          { id: "shift-10", state: "running", attempt: 1, startedAt: NOW + 1, progress: { since: NOW } },
        ],
        split: { generation: 3, weights: { blue: 90, green: 10 } },
        roles: { active: "blue", standby: "green" },
        environments: [{ service: "web", name: "green", release: "v2", desired: "running" }],
        release: { ...sampleRelease, digest: null },
        retirement: { cancel: "old" },
        receipt: sampleReceipt(),
        events: [
          sampleEvent({ type: "step-completed", deployment: "dep_1", step: "start" }),
          sampleEvent({ type: "step-started" }),
        ],
      }),
    );
    expect(events.map((event) => [event.seq, event.type])).toEqual([
      [2, "step-completed"],
      [3, "step-started"],
    ]);
    await reopen();
    expect(await get().events(1, 10)).toEqual(events);
    expect(await get().deployment("dep_1")).toMatchObject({
      state: "running",
      touchedTraffic: true,
      startedAt: NOW + 1,
      endedAt: null,
    });
    const steps = await get().steps("dep_1");
    expect(steps[0]).toMatchObject({
      state: "done",
      attempt: 0,
      endedAt: NOW + 1,
      result: { instances: 2 },
      progress: {},
    });
    expect(steps[1]).toMatchObject({
      state: "running",
      attempt: 1,
      startedAt: NOW + 1,
      progress: { since: NOW },
      result: null,
    });
    expect(await get().service("web")).toEqual({
      service: "web",
      fence: 1,
      generation: 3,
      weights: { blue: 90, green: 10 },
      active: "blue",
      standby: "green",
    });
    expect(await get().environments("web")).toEqual([
      { service: "web", name: "green", release: "v2", desired: "running" },
    ]);
    expect(await get().release("web", "v2")).toMatchObject({ digest: null });
    expect(await get().retirements()).toEqual([]);
    expect(await get().receipts("dep_1")).toEqual([sampleReceipt()]);
  });

  test("begun and ended get their times once; what is not named stays", async () => {
    await begun(get());
    await get().transition(
      change({
        at: NOW + 5,
        deployment: { id: "dep_1", state: "running" },
        split: { generation: 2, weights: { blue: 100 } },
      }),
    );
    await get().transition(change({ at: NOW + 6, deployment: { id: "dep_1", touchedTraffic: true } }));
    await get().transition(
      change({
        at: NOW + 7,
        deployment: { id: "dep_1", state: "baking" },
        roles: { active: "green", standby: "blue" },
      }),
    );
    await get().transition(change({ at: NOW + 8, deployment: { id: "dep_1", state: "completed" } }));
    expect(await get().deployment("dep_1")).toMatchObject({
      state: "completed",
      touchedTraffic: true,
      startedAt: NOW + 5,
      endedAt: NOW + 8,
    });
    expect(await get().service("web")).toMatchObject({ generation: 2, weights: { blue: 100 }, active: "green" });
    expect(await get().unfinished()).toEqual([]);
  });

  test("the first cause wins", async () => {
    await begun(get());
    const first = { kind: "abort", by: "ada", reason: null } as const;
    await get().transition(change({ deployment: { id: "dep_1", state: "rolling-back", cause: first } }));
    await get().transition(
      change({ deployment: { id: "dep_1", cause: { kind: "failure", code: "internal", message: "late" } } }),
    );
    expect((await get().deployment("dep_1"))?.cause).toEqual(first);
  });

  test("a split that upkeep has overtaken keeps the newer generation, and no weights at all mean no release", async () => {
    await begun(get());
    await get().transition(change({ split: { generation: 7, weights: { blue: 100, green: 0 } } }));
    await get().transition(change({ split: { generation: 6, weights: { blue: 100 } }, roles: ROLES }));
    expect(await get().service("web")).toMatchObject({ generation: 7, active: "blue" });
    await get().transition(change({ split: { generation: 8, weights: {} } }));
    expect(await get().service("web")).toMatchObject({ generation: 8, weights: {} });
  });

  test("the same transition again, as after a lost answer, changes nothing but the log", async () => {
    await begun(get());
    const again = change({
      deployment: { id: "dep_1", state: "running" },
      split: { generation: 1, weights: { blue: 100 } },
    });
    await get().transition(again);
    const before = await get().deployment("dep_1");
    await get().transition({ ...again, at: NOW + 9 });
    expect(await get().deployment("dep_1")).toEqual(before);
  });
}

const ROLES = { active: "blue", standby: "green" };

function refusals(get: Get): void {
  const refused: readonly (readonly [string, string, Partial<Transition>])[] = [
    ["a lower fence", "fenced", { fence: 1 }],
    ["a service that was never claimed", "service-unknown", { service: "api" }],
    ["an unknown deployment", "deployment-unknown", { deployment: { id: "dep_9", state: "running" } }],
    ["a transition that the states do not allow", "internal", { deployment: { id: "dep_1", state: "completed" } }],
    [
      "a step that the plan does not have",
      "internal",
      { deployment: { id: "dep_1" }, steps: [{ id: "nope", state: "done" }] },
    ],
    ["steps of no deployment", "internal", { steps: [{ id: "start", state: "done" }] }],
    ["weights that do not sum to 100", "internal", { split: { generation: 9, weights: { blue: 60, green: 60 } } }],
    ["a generation that goes back", "internal", { split: { generation: 4, weights: { green: 100 } } }],
  ];
  test.each(refused)("%s is refused with %s, and nothing of the transition stays", async (_what, code, over) => {
    await begun(get());
    await get().claim("web", 0);
    await get().transition(change({ fence: 2, split: { generation: 5, weights: { blue: 100 } } }));
    const seq = await get().lastSeq();
    const bad = change({
      fence: 2,
      environments: [{ service: "web", name: "green", release: null, desired: "running" }],
      roles: { active: "green", standby: null },
      receipt: sampleReceipt(),
      events: [sampleEvent()],
      ...over,
    });
    await expect(get().transition(bad)).rejects.toMatchObject({ name: "TealError", code });
    expect(await get().environments("web")).toEqual([]);
    expect(await get().service("web")).toMatchObject({ active: null, generation: 5, fence: 2 });
    expect(await get().receipts("dep_1")).toEqual([]);
    expect(await get().deployment("dep_1")).toEqual(sampleDeployment("dep_1"));
    expect(await get().lastSeq()).toBe(seq);
  });

  test("an ended deployment takes no other state, and not its own again", async () => {
    await begun(get());
    await get().transition(change({ deployment: { id: "dep_1", state: "running" } }));
    await get().transition(change({ deployment: { id: "dep_1", state: "completed" } }));
    for (const state of ["running", "completed"] as const) {
      await expect(get().transition(change({ deployment: { id: "dep_1", state } }))).rejects.toMatchObject({
        code: "deployment-ended",
      });
    }
  });

  test("a fence above the row's is kept, and shuts out the one before", async () => {
    await begun(get());
    await get().transition(change({ fence: 8 }));
    await expect(get().transition(change({ fence: 7 }))).rejects.toMatchObject({ code: "fenced" });
    expect((await get().claim("web", 0)).fence).toBe(9);
  });
}

function records(get: Get, reopen: () => Promise<void>): void {
  test("releases come newest first, also after the clock was set back; one that an environment is to run is not removed", async () => {
    await begun(get());
    await get().transition(change({ release: { ...sampleRelease, id: "v3", createdAt: NOW - 9 } }));
    await get().transition(
      change({ environments: [{ service: "web", name: "green", release: "v3", desired: "stopped" }] }),
    );
    expect((await get().releases("web")).map((row) => row.id)).toEqual(["v3", "v2"]);
    await expect(get().removeRelease("web", "v3", [sampleEvent()])).rejects.toMatchObject({ code: "rollback-target" });
    expect(await get().removeRelease("web", "v2", [sampleEvent({ type: "release-pruned" })])).toMatchObject([
      { seq: 2, type: "release-pruned" },
    ]);
    expect((await get().releases("web")).map((row) => row.id)).toEqual(["v3"]);
    expect((await get().events(0, 9)).map((event) => event.type)).toEqual(["deployment-accepted", "release-pruned"]);
  });

  test("the first approval counts; it may come early, and not too late", async () => {
    const store = get();
    await begun(store);
    const approval = (by: string) => ({ by, reason: null, at: NOW });
    expect(await store.approval("dep_1")).toBeNull();
    const told = sampleEvent({ type: "approval" });
    expect(await store.approve("dep_1", approval("ann"), [told])).toMatchObject({
      kind: "approved",
      events: [{ type: "approval" }],
    });
    expect(await store.approve("dep_1", approval("bob"), [told])).toEqual({
      kind: "repeated",
      approval: approval("ann"),
    });
    await reopen();
    expect(await get().approval("dep_1")).toEqual(approval("ann"));
    await expect(get().approve("dep_9", approval("ann"), [])).rejects.toMatchObject({ code: "deployment-unknown" });
    await get().transition(change({ deployment: { id: "dep_1", state: "rolling-back" } }));
    await get().transition(change({ deployment: { id: "dep_1", state: "aborted" } }));
    await get().accept(sampleAcceptance("dep_2"));
    await get().transition(change({ deployment: { id: "dep_2", state: "rolling-back" } }));
    await expect(get().approve("dep_2", approval("ann"), [])).rejects.toMatchObject({ code: "deployment-ended" });
  });

  test("an environment keeps the count that a person asked for until a record without one", async () => {
    const scaled = { service: "web", name: "green", release: "v2", desired: "running", count: 4 } as const;
    const { count: _count, ...plain } = scaled;
    await begun(get());
    await get().transition(change({ environments: [scaled] }));
    await reopen();
    expect(await get().environments("web")).toEqual([scaled]);
    await get().transition(change({ environments: [plain] }));
    expect(await get().environments("web")).toEqual([plain]);
  });

  test("maintenance is kept with who ordered it and why; an older revision, or fence, is refused", async () => {
    const row = await get().claim("web", 0);
    expect(await get().maintenance("web")).toBeNull();
    const hold = { deadlineMs: 30_000, most: 9, until: NOW + 5, endsIn: "on" as const };
    const answer = { page: { type: "text/plain", base64: "aGk=" }, status: 503, retryAfterMs: 1, allow: ["192.0.2.1"] };
    const record = (revision: number): MaintenanceRecord => ({
      revision,
      order: { mode: "hold", ...hold, ...answer },
      since: NOW,
      by: "ann",
      reason: null,
    });
    const put = (revision: number, fence = row.fence): Promise<unknown> =>
      get().transition({ service: "web", fence, at: NOW, maintenance: record(revision), events: [] });
    await put(4);
    await expect(put(3)).rejects.toMatchObject({ code: "internal" });
    await expect(put(5, row.fence - 1)).rejects.toMatchObject({ code: "fenced" });
    await reopen();
    expect(await get().maintenance("web")).toEqual(record(4));
    expect(await get().service("web")).toEqual(row);
  });

  test("history is newest first and bounded", async () => {
    await get().claim("web", 0);
    for (const id of ["dep_1", "dep_2", "dep_3"]) {
      await get().accept(sampleAcceptance(id));
      await get().transition(change({ deployment: { id, state: "rolling-back" } }));
      await get().transition(change({ deployment: { id, state: "aborted" } }));
    }
    expect((await get().history("web", 2)).map((row) => row.id)).toEqual(["dep_3", "dep_2"]);
    expect(await get().history("api", 2)).toEqual([]);
  });

  test("a receipt is replaced by its final one, and the final one by no other of its deployment", async () => {
    await get().putReceipt(sampleReceipt());
    await get().putReceipt(sampleReceipt({ drained: 7, final: true }));
    await get().putReceipt(sampleReceipt({ drained: 1 }));
    await get().putReceipt(sampleReceipt({ generation: 2, deployment: "dep_1" }));
    await reopen();
    expect((await get().receipts("dep_1")).map((row) => [row.generation, row.drained, row.final])).toEqual([
      [1, 7, true],
      [2, 3, false],
    ]);
  });

  test("a service has one retirement: a new one replaces it, and only its own environment's name cancels it", async () => {
    await get().claim("web", 0);
    const row = { service: "web", environment: "blue", release: "v1", at: NOW + 9 };
    await get().transition(change({ retirement: { set: row } }));
    const newer = { ...row, environment: "green", at: NOW + 5 };
    await get().transition(change({ retirement: { set: newer } }));
    await get().transition(change({ retirement: { cancel: "blue" } }));
    expect(await get().retirements()).toEqual([newer]);
    expect(await get().retirements("web")).toEqual([newer]);
    expect(await get().retirements("api")).toEqual([]);
    await get().transition(change({ retirement: { cancel: "green" } }));
    expect(await get().retirements()).toEqual([]);
  });
}

function tokenRows(get: Get, reopen: () => Promise<void>): void {
  const token = {
    id: "1f",
    hash: "ab",
    name: "ci",
    role: "deployer",
    services: ["web"],
    createdBy: "ada",
    createdAt: NOW,
    expiresAt: NOW + 9,
    usedAt: null,
  } as const;

  test("a token is kept until it is removed, each with its event, and no name is given twice", async () => {
    const [created] = await get().addToken(token, [sampleEvent({ type: "token-created" })]);
    expect(created?.type).toBe("token-created");
    await get().addToken({ ...token, id: "2f", name: "other", services: null, createdAt: NOW + 1 }, []);
    await expect(get().addToken({ ...token, id: "3f" }, [sampleEvent()])).rejects.toMatchObject({
      code: "token-exists",
    });
    await get().markTokenUsed("1f", NOW + 5);
    await reopen();
    expect(await get().tokens()).toEqual([
      { ...token, usedAt: NOW + 5 },
      { ...token, id: "2f", name: "other", services: null, createdAt: NOW + 1 },
    ]);
    await get().removeToken("1f", [sampleEvent({ type: "token-revoked" })]);
    await expect(get().removeToken("1f", [sampleEvent()])).rejects.toMatchObject({ code: "token-unknown" });
    await get().markTokenUsed("1f", NOW + 6);
    expect((await get().tokens()).map(({ id }) => id)).toEqual(["2f"]);
    expect((await get().events(0, 9)).map(({ type }) => type)).toEqual(["token-created", "token-revoked"]);
  });
}

function eventLog(get: Get, reopen: () => Promise<void>): void {
  test("events are numbered, bounded and in order, also those of no transition", async () => {
    const given = [1, 2, 3, 4].map((n) =>
      sampleEvent({ service: null, data: { n, nested: { list: [1, null, "x"] } } }),
    );
    expect((await get().append(given)).map((event) => event.seq)).toEqual([1, 2, 3, 4]);
    expect((await get().events(1, 2)).map((event) => event.data["n"])).toEqual([2, 3]);
    expect(await get().events(4, 2)).toEqual([]);
    expect(await get().lastSeq()).toBe(4);
  });

  test("a deployment's traffic and events are read by its name, in their order, and pruned with it", async () => {
    await begun(get());
    const second = sampleChunk({ from: NOW + 1_000, points: [] });
    await get().putSeries(second);
    await get().putSeries(sampleChunk({ points: [] }));
    await get().putSeries(sampleChunk());
    await reopen();
    expect(await get().series("dep_1")).toEqual([sampleChunk(), second]);
    expect(await get().series("dep_2")).toEqual([]);
    await get().append([sampleEvent({ deployment: "dep_1", type: "guardrail" }), sampleEvent({ deployment: "dep_2" })]);
    expect((await get().eventsOf("dep_1", 9)).map(({ type }) => type)).toEqual(["deployment-accepted", "guardrail"]);
    expect(await get().eventsOf("dep_1", 1)).toHaveLength(1);
    await get().transition(change({ deployment: { id: "dep_1", state: "rolling-back" } }));
    await get().transition(change({ at: NOW + 10, deployment: { id: "dep_1", state: "failed" } }));
    await get().prune(NOW + 11);
    expect(await get().series("dep_1")).toEqual([]);
  });

  test("traffic of a deployment that is not on record is refused", async () => {
    await expect(get().putSeries(sampleChunk({ deployment: "dep_9" }))).rejects.toMatchObject({
      code: "store-failed",
    });
  });

  test("pruning takes what ended before, keeps the rest, and never gives a number again", async () => {
    await begun(get());
    await get().transition(change({ deployment: { id: "dep_1", state: "rolling-back" } }));
    await get().transition(change({ at: NOW + 10, deployment: { id: "dep_1", state: "failed" } }));
    await get().append([sampleEvent({ at: NOW + 10 })]);
    await get().prune(NOW + 10);
    expect(await get().events(0, 9)).toHaveLength(2);
    await get().prune(NOW + 11);
    expect(await get().events(0, 9)).toEqual([]);
    expect(await get().steps("dep_1")).toEqual([]);
    expect(await get().plan("dep_1")).toBeNull();
    expect(await get().history("web", 9)).toHaveLength(1);
    await reopen();
    expect(await get().lastSeq()).toBe(2);
    expect((await get().append([sampleEvent()])).map((event) => event.seq)).toEqual([3]);
  });

  test("pruning leaves a deployment that runs", async () => {
    await begun(get());
    await get().prune(NOW * 2);
    expect(await get().steps("dep_1")).toHaveLength(3);
    expect(await get().events(0, 9)).toHaveLength(1);
  });
}
