import { expect, test } from "vitest";
import { NOW, sampleAcceptance, sampleDeployment, sampleRelease } from "../samples.ts";
import type { Transition } from "../store.ts";
import { change, type Get, type Reopen } from "./setting.ts";

/** What a store tells of the changes of a service: part of the suite of every store. */
export function changeConformance(get: Get, reopen: Reopen): void {
  const ended = async (id: string, service: string, steps: readonly Partial<Transition>[]): Promise<void> => {
    const deployment = sampleDeployment(id, { service, release: `of ${id}` });
    const release = { ...sampleRelease, service, id: `of ${id}`, committedAt: NOW - 500 };
    await get().accept(sampleAcceptance(id, { deployment, release }));
    for (const [index, step] of steps.entries())
      await get().transition(change({ service, at: NOW + index + 1, ...step, deployment: { id, ...step.deployment } }));
  };

  test("a service without a deployment has no changes", async () => {
    await get().claim("web", 0);
    expect(await get().changes("web", 0)).toEqual({ begunAt: null, before: null, changes: [], truncated: false });
  });

  test("changes have the times of commit, first traffic and its being back, also when their release is gone", async () => {
    for (const service of ["web", "api"]) await get().claim(service, 0);
    const touches = { deployment: { id: "", touchedTraffic: true } } as const;
    await ended("dep_1", "web", [
      { deployment: { id: "dep_1", state: "running" } },
      { at: NOW + 10, deployment: { ...touches.deployment, id: "dep_1" } },
      { at: NOW + 20, deployment: { ...touches.deployment, id: "dep_1" } },
      { at: NOW + 30, deployment: { id: "dep_1", state: "completed" } },
    ]);
    await ended("dep_2", "web", [
      { deployment: { id: "dep_2", state: "running" } },
      { at: NOW + 40, deployment: { ...touches.deployment, id: "dep_2" } },
      { at: NOW + 50, deployment: { id: "dep_2", state: "rolling-back" } },
      { at: NOW + 60, deployment: { id: "dep_2", state: "frozen" } },
      { at: NOW + 70, deployment: { id: "dep_2", state: "rolling-back" } },
      { at: NOW + 80, deployment: { id: "dep_2", state: "rolled-back" } },
    ]);
    await ended("dep_3", "api", [{ deployment: { id: "dep_3", state: "running" } }]);
    await get().removeRelease("web", "of dep_2", []);
    await reopen();
    const row = { goal: "deploy", touchedTraffic: true, committedAt: NOW - 500 };
    const first = { deployment: "dep_1", state: "completed", release: "of dep_1", endedAt: NOW + 30 };
    const second = { deployment: "dep_2", state: "rolled-back", release: "of dep_2", endedAt: NOW + 80 };
    const changes = [
      { ...row, ...first, trafficAt: NOW + 10, backAt: null },
      { ...row, ...second, trafficAt: NOW + 40, backAt: NOW + 70 },
    ];
    expect(await get().changes("web", 0)).toEqual({ begunAt: NOW, before: null, changes, truncated: false });
    expect(await get().changes("web", NOW + 31)).toEqual({
      begunAt: NOW,
      before: "of dep_1",
      changes: changes.slice(1),
      truncated: false,
    });
    expect(await get().changes("api", 0)).toMatchObject({ begunAt: NOW, changes: [] });
    expect((await get().release("web", "of dep_1"))?.committedAt).toBe(NOW - 500);
  });

  test("retirements are no changes", async () => {
    await get().claim("web", 0);
    const deployment = sampleDeployment("dep_1", { goal: "retire" });
    await get().accept(sampleAcceptance("dep_1", { deployment, release: null }));
    await get().transition(change({ deployment: { id: "dep_1", state: "running" } }));
    await get().transition(change({ deployment: { id: "dep_1", state: "completed" } }));
    expect(await get().changes("web", 0)).toMatchObject({ begunAt: NOW, changes: [] });
  });
}
