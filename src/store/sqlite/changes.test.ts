import { expect, test } from "vitest";
import { NOW, sampleAcceptance, sampleDeployment } from "../samples.ts";
import { SqliteStore } from "./sqlite-store.ts";

test("of very many changes the newest are kept, and it is said that there are more", () => {
  const store = new SqliteStore(":memory:");
  const { fence } = store.claim("web", 0);
  for (let n = 0; n < 1_001; n += 1) {
    const id = `dep_${String(n)}`;
    store.accept(sampleAcceptance(id, { deployment: sampleDeployment(id), release: null }));
    for (const [at, state] of [
      [NOW + n, "running"],
      [NOW + n, "completed"],
    ] as const)
      store.transition({ service: "web", fence, at, deployment: { id, state }, events: [] });
  }
  const { changes, truncated, before } = store.changes("web", 0);
  expect([changes.length, changes[0]?.deployment, changes.at(-1)?.deployment]).toEqual([1_000, "dep_1", "dep_1000"]);
  expect([truncated, before]).toEqual([true, "v2"]);
  expect(store.changes("web", NOW + 1).truncated).toBe(false);
  store.close();
});
