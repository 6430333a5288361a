import { afterEach, beforeEach, expect, test } from "vitest";
import { rememberedReleases } from "./remembered-releases.ts";
import { sampleAcceptance, sampleRelease } from "./samples.ts";
import { storeConformance } from "./store.conformance.ts";
import { directSqliteStore } from "./sqlite/direct.ts";
import type { Store } from "./store.ts";
import { temporaryFolder } from "./temporary.ts";

storeConformance("SQLite, releases remembered", () => {
  const folder = temporaryFolder();
  return Promise.resolve({
    open: () => Promise.resolve(rememberedReleases(directSqliteStore(`${folder.path}/teal.db`))),
    remove: () => {
      folder[Symbol.dispose]();
      return Promise.resolve();
    },
  });
});

let reads: string[];
let beneath: Store;
let store: Store;
/** Held up before its answer reaches the memory; null: not. */
let held: Promise<void> | null;
beforeEach(async () => {
  reads = [];
  held = null;
  const sqlite = directSqliteStore(":memory:");
  beneath = {
    ...sqlite,
    release: async (service, id) => {
      reads.push(id);
      const release = await sqlite.release(service, id);
      await held;
      return release;
    },
  };
  store = rememberedReleases(beneath, 2);
  await store.claim("web", 0);
  await store.accept(sampleAcceptance("dep_1"));
});
afterEach(() => store.close());

const transition = (release: typeof sampleRelease) =>
  store.transition({ service: "web", fence: 1, at: 1, release, events: [] });

test("a release is read once, and again when it was written", async () => {
  for (let n = 0; n < 3; n += 1) expect(await store.release("web", "v2")).toEqual(sampleRelease);
  expect(reads).toEqual(["v2"]);
  await transition({ ...sampleRelease, directory: "/srv/moved" });
  expect((await store.release("web", "v2"))?.directory).toBe("/srv/moved");
  expect(reads).toEqual(["v2", "v2"]);
  await store.removeRelease("web", "v2", []);
  expect(await store.release("web", "v2")).toBeNull();
});

test("one that is written while it is being read is not remembered as it was", async () => {
  const gate = Promise.withResolvers<void>();
  held = gate.promise;
  const reading = store.release("web", "v2");
  await transition({ ...sampleRelease, directory: "/srv/moved" });
  gate.resolve();
  await reading;
  held = null;
  expect((await store.release("web", "v2"))?.directory).toBe("/srv/moved");
});

test("no more are remembered than fit, and none that is not there", async () => {
  for (const id of ["v3", "v4"]) await transition({ ...sampleRelease, id });
  expect(await store.release("web", "none")).toBeNull();
  expect(await store.release("web", "none")).toBeNull();
  for (const id of ["v2", "v3", "v4", "v4", "v2"]) await store.release("web", id);
  expect(reads).toEqual(["none", "none", "v2", "v3", "v4", "v2"]);
});
