import { expect, test } from "vitest";
import { sampleSpec } from "../model/samples.ts";
import type { ServiceTable } from "../wire/proxy.ts";
import { PROCESS_CELL, sharedInts } from "./cells.ts";
import { RouteBook } from "./route-book.ts";

const { health, traffic } = sampleSpec;
const table = (service: string, ...hosts: string[]): ServiceTable => ({
  service,
  fence: 1,
  generation: 1,
  deployment: null,
  weights: {},
  revertTo: null,
  backends: [],
  traffic: { ...traffic, hosts, paths: ["/"] },
  health,
});

test("a table changes the routes of its own service alone, and only when they are others", () => {
  const cell = sharedInts(PROCESS_CELL.length);
  const book = new RouteBook(cell);
  const live = (...tables: ServiceTable[]): void => {
    book.goLive(book.next(tables));
  };
  expect(book.next([])).toBeNull();
  live(table("web", "web.test"), table("api", "api.test"));
  expect(cell[PROCESS_CELL.routes]).toBe(1);
  expect(book.next([table("web", "web.test")])).toBeNull();
  live(table("web", "web.test", "www.web.test"));
  expect(book.live).toEqual({
    version: 2,
    routes: [
      { service: "web", hosts: ["web.test", "www.web.test"], paths: ["/"] },
      { service: "api", hosts: ["api.test"], paths: ["/"] },
    ],
  });
  // Before it is live, nothing has changed.
  const wanted = { version: 3, changed: [{ service: "new", hosts: ["new.test"], paths: ["/"] }] };
  expect(book.next([table("new", "new.test")])).toEqual(wanted);
  expect(book.next([table("new", "new.test")])).toEqual(wanted);
  live(table("new", "new.test"));
  expect(book.next([table("new", "new.test"), table("web", "web.test", "www.web.test")])).toBeNull();
});
