import { expect, test } from "vitest";
import type { Store } from "../store.ts";
import { NOW } from "../samples.ts";
import { begun, change, type Get } from "./setting.ts";

async function asked(store: Store, service: string) {
  const [unfinished] = await store.unfinished(service);
  const [retirement] = await store.retirements(service);
  return {
    row: await store.service(service),
    environments: await store.environments(service),
    unfinished: unfinished ?? null,
    retirement: retirement ?? null,
    maintenance: await store.maintenance(service),
  };
}

/** All of a service in one answer: part of the suite of every store. */
export function outlineConformance(get: Get): void {
  test("an outline is what the single questions answer, of this service alone", async () => {
    const nothing = { row: null, environments: [], unfinished: null, retirement: null, maintenance: null };
    expect(await get().outline("web")).toEqual(nothing);
    await begun(get());
    const order = {
      mode: "on" as const,
      deadlineMs: 1,
      most: 1,
      until: null,
      endsIn: "off" as const,
      page: null,
      status: 503,
      retryAfterMs: 1,
      allow: [],
    };
    await get().transition(
      change({
        environments: [{ service: "web", name: "green", release: "v2", desired: "running" }],
        retirement: { set: { service: "web", environment: "blue", release: "v1", at: NOW + 9 } },
        maintenance: { revision: 1, order, since: NOW, by: "ann", reason: null },
      }),
    );
    const outline = await get().outline("web");
    expect(outline).toEqual(await asked(get(), "web"));
    expect(Object.values(outline).filter((part) => part === null)).toEqual([]);
    expect(outline.environments).toHaveLength(1);
    expect(await get().outline("api")).toEqual(nothing);
  });
}
