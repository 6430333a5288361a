import { expect, test } from "vitest";
import { sampleAcceptance, sampleDeployment, samplePlan, sampleRelease } from "../samples.ts";
import { begun, change, type Get, type Reopen } from "./setting.ts";

/** How a deployment is accepted: part of the suite of every store. */
export function acceptanceConformance(get: Get, reopen: Reopen): void {
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
