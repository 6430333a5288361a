import { expect, test } from "vitest";
import { queuedStore } from "./queued.ts";
import { storeConformance } from "./store.conformance.ts";
import { directSqliteStore } from "./sqlite/direct.ts";
import { temporaryFolder } from "./temporary.ts";

storeConformance("SQLite, one call at a time", () => {
  const folder = temporaryFolder();
  return Promise.resolve({
    open: () => Promise.resolve(queuedStore(directSqliteStore(`${folder.path}/teal.db`), 1)),
    remove: () => {
      folder[Symbol.dispose]();
      return Promise.resolve();
    },
  });
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("so many calls run at a time, the next begins when one has ended, however it did, in their order", async () => {
  const beneath = directSqliteStore(":memory:");
  const begun: string[] = [];
  const running: PromiseWithResolvers<null>[] = [];
  const store = queuedStore(
    {
      ...beneath,
      service: (name) => {
        begun.push(name);
        const answer = Promise.withResolvers<null>();
        running.push(answer);
        return answer.promise;
      },
    },
    2,
  );
  const calls = ["a", "b", "c", "d", "e"].map((name) => store.service(name));
  const outcomes = Promise.allSettled(calls);
  await turn();
  expect(begun).toEqual(["a", "b"]);
  running[1]?.reject(new Error("refused"));
  await turn();
  expect(begun).toEqual(["a", "b", "c"]);
  for (const name of ["a", "c", "d", "e"]) {
    running[["a", "b", "c", "d", "e"].indexOf(name)]?.resolve(null);
    await turn();
  }
  expect(begun).toEqual(["a", "b", "c", "d", "e"]);
  expect((await outcomes).map(({ status }) => status)).toEqual([
    "fulfilled",
    "rejected",
    "fulfilled",
    "fulfilled",
    "fulfilled",
  ]);
  const last = store.service("f");
  await turn();
  running[5]?.resolve(null);
  expect(await last).toBeNull();
  await store.close();
});
