import { beforeEach, expect, test } from "vitest";
import { ProcessChanges, type ProcessReplaced } from "./process-events.ts";

let told: ProcessReplaced[];
let changes: ProcessChanges;
beforeEach(() => {
  told = [];
  changes = new ProcessChanges((change) => told.push(change));
});

const row = (pid: number, draining = false) => ({ pid, draining, socket: "", startedAt: 0, runtime: "1.0.0-a" });

const status = (pid: number, runtime: string, proxies: ReturnType<typeof row>[], afterHung: number | null = null) => ({
  pid,
  runtime,
  proxies,
  server: { pid: 9, restarts: 0, cannotRun: false, runtime, afterHung },
});

test("a proxy that has ended, and the one that the keeper started in its place", () => {
  changes.keeper(status(1, "1.0.0-a", [row(2)]));
  changes.proxies([]);
  changes.proxies([row(3)]);
  changes.proxies([row(3)]);
  expect(told).toEqual([{ process: "proxy", pid: 3, before: 2, runtime: "1.0.0-a", cause: "ended" }]);
});

test("a proxy that another replaces, once it is clear that the other stays", () => {
  changes.proxies([row(2)]);
  changes.proxies([row(2), row(3)]);
  expect(told).toEqual([]);
  changes.proxies([row(2, true), row(3)]);
  changes.proxies([row(3)]);
  expect(told).toMatchObject([{ pid: 3, before: 2, cause: "replaced" }]);
});

test("a proxy that did not come up in the place of another is none", () => {
  changes.proxies([row(2)]);
  changes.proxies([row(2), row(3)]);
  changes.proxies([row(2), row(3, true)]);
  changes.proxies([row(2)]);
  expect(told).toEqual([]);
});

test("a keeper took the place of one that hung, or of another that ended after that", () => {
  changes.keeper(status(1, "1.0.0-a", [row(2)]));
  changes.keeper({ ...status(4, "1.0.0-a", [row(2)]), afterHung: 1 });
  changes.keeper({ ...status(5, "1.0.0-a", [row(2)]), afterHung: 1 });
  expect(told).toMatchObject([
    { process: "keeper", pid: 4, before: 1, cause: "hung" },
    { process: "keeper", pid: 5, before: 4, cause: "ended" },
  ]);
});

test("a keeper of the same version took the place of one that ended; of another version, of one that was replaced", () => {
  changes.keeper(status(1, "1.0.0-a", [row(2)]));
  changes.keeper(status(1, "1.0.0-a", [row(2)]));
  changes.keeper(status(4, "1.0.0-a", [row(2)]));
  changes.keeper(status(5, "1.1.0-b", [row(2)]));
  expect(told).toEqual([
    { process: "keeper", pid: 4, before: 1, runtime: "1.0.0-a", cause: "ended" },
    { process: "keeper", pid: 5, before: 4, runtime: "1.1.0-b", cause: "replaced" },
  ]);
});

test("a server that took the place of a hung one says so, once", () => {
  changes.keeper(status(1, "1.0.0-a", [row(2)], 8));
  changes.keeper(status(1, "1.0.0-a", [row(2)], 8));
  expect(told).toEqual([{ process: "server", pid: 9, before: 8, runtime: "1.0.0-a", cause: "hung" }]);
});
