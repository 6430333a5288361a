import { expect, test } from "vitest";
import type { NewEvent } from "../model/event.ts";
import { deploymentRecord } from "./deployment-record.ts";
import { NOW, sampleAcceptance, sampleEvent } from "./samples.ts";
import { directSqliteStore } from "./sqlite/direct.ts";

/** dep_1 with these events after its first. */
async function recordWith(events: readonly NewEvent[]) {
  const store = directSqliteStore(":memory:");
  await store.claim("web", 0);
  await store.accept(sampleAcceptance("dep_1"));
  await store.append(events);
  const record = await deploymentRecord(store, "dep_1");
  await store.close();
  return record;
}

function warnings(n: number): NewEvent[] {
  return Array.from({ length: n }, (_, index) => sampleEvent({ deployment: "dep_1", at: NOW + index }));
}

test("events are read to the end", async () => {
  const record = await recordWith(warnings(6_000));
  expect(record?.events).toHaveLength(6_001);
  expect(record?.events.at(-1)?.at).toBe(NOW + 5_999);
  expect(record?.leftOut).toBeNull();
});

test("of very many the first and the last are kept, and it is known how many are not", async () => {
  const record = await recordWith(warnings(9_000));
  expect(record?.events).toHaveLength(7_500);
  expect(record?.events[0]?.type).toBe("deployment-accepted");
  expect(record?.events.at(-1)?.at).toBe(NOW + 8_999);
  expect(record?.leftOut).toMatchObject({ count: 1_501, after: { at: NOW + 2_498 } });
  expect(record?.events[2_500]?.at).toBe(NOW + 4_000);
});

test("counts of probes, which versions before wrote every ten seconds, make no room scarce", async () => {
  const counts = Array.from({ length: 9_000 }, () =>
    sampleEvent({ deployment: "dep_1", type: "step-progress", data: { message: "9 probes", probes: 9 } }),
  );
  const record = await recordWith([...counts, ...warnings(1)]);
  expect(record?.events.map(({ type }) => type)).toEqual(["deployment-accepted", "warning"]);
  expect(record?.leftOut).toBeNull();
});

test("a deployment that nobody knows has no record", async () => {
  const store = directSqliteStore(":memory:");
  expect(await deploymentRecord(store, "dep_9")).toBeNull();
  await store.close();
});
