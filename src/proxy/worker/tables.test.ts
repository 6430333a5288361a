import { expect, test } from "vitest";
import { PROCESS_CELL, sharedInts } from "../cells.ts";
import { WorkerTables } from "./tables.ts";

const route = (service: string, ...hosts: string[]) => ({ service, hosts, paths: ["/"] });
const started = () => {
  const processCell = sharedInts(PROCESS_CELL.length);
  const routes = { version: 0, routes: [route("web", "web.test")] };
  const tables = new WorkerTables({ index: 0, processCell, tables: [], routes, modes: [] });
  const learn = (version: number, ...changed: ReturnType<typeof route>[]): void => {
    tables.learn([], { version, changed }, []);
  };
  const goLive = (version: number): void => {
    Atomics.store(processCell, PROCESS_CELL.routes, version);
  };
  return { tables, learn, goLive, find: (host: string) => tables.router.match(host, "/") };
};

test("a change of routes counts once it is live, and leaves the others", () => {
  const { learn, goLive, find } = started();
  learn(1, route("api", "api.test"));
  expect(find("api.test")).toBeNull();
  goLive(1);
  expect([find("api.test"), find("web.test")]).toEqual(["api", "web"]);
  learn(2, route("web", "www.test"));
  goLive(2);
  expect([find("api.test"), find("web.test"), find("www.test")]).toEqual(["api", null, "web"]);
});

test("a change that never went live is no part of the next one", () => {
  const { learn, goLive, find } = started();
  learn(1, route("web", "wrong.test"));
  learn(1, route("api", "api.test"));
  goLive(1);
  expect([find("api.test"), find("web.test"), find("wrong.test")]).toEqual(["api", "web", null]);
});

test("changes that go live while nobody asks are all there", () => {
  const { learn, goLive, find } = started();
  for (let version = 1; version <= 50; version += 1) {
    learn(version, route(`s${String(version)}`, `s${String(version)}.test`));
    goLive(version);
  }
  expect(find("s1.test")).toBe("s1");
  expect(find("s50.test")).toBe("s50");
});
