import { expect, test } from "vitest";
import { parseSnapshot, printService, type SavedService } from "./snapshot-state.ts";
import { SnapshotImage } from "./snapshot-image.ts";

/** As 0.1.0 wrote it, byte by byte. */
const OLD =
  '{"version":1,"services":[{"service":"web","table":{"fence":3,"generation":7,"service":"web","deployment":"d1",' +
  '"weights":{"blue":90,"green":10},"backends":[{"environment":"blue","release":"v1","instances":' +
  '[{"id":"web/blue/v1/0","address":"127.0.0.1:20000"}]}],"revertTo":{"blue":100,"green":0},' +
  '"traffic":{"driver":"embedded","hosts":[],"paths":["/"],"drainMs":30000,"longLivedMs":300000,"onControllerLoss":"revert"},' +
  '"health":{"path":"/health","status":200,"intervalMs":1000,"timeoutMs":500,"healthyAfter":2,"unhealthyAfter":3,"deadlineMs":60000}},' +
  '"register":{"split":{"fence":3,"generation":7,"weights":{"blue":90,"green":10}},"deployment":"d1",' +
  '"armed":{"deployment":"d1","revertTo":{"blue":100,"green":0}},"reverted":null,"latches":[]}}]}';

/** As it is written with these set one after the other, each taken to be written. */
function textOf(...services: readonly SavedService[]): string {
  const image = new SnapshotImage(1_000_000);
  for (const service of services) {
    image.set(service.service, printService(service));
    image.take();
  }
  return Buffer.from(image.take().bytes).toString();
}

test("what is set again of a service replaces it", () => {
  const [web] = parseSnapshot(OLD);
  if (web === undefined) throw new Error("the old snapshot has a service");
  const because = { kind: "abort" as const, by: "ann", reason: "wrong version" };
  const latches = [{ deployment: "d0", fence: 1, at: 1, cause: "revert" as const, because }];
  const latched = { ...web, register: { ...web.register, latches } };
  const api = { ...web, service: "äpi" };
  const services = parseSnapshot(textOf(web, api, { ...web, table: null }, latched));
  expect(services).toHaveLength(2);
  expect(services).toEqual(expect.arrayContaining([api, latched]));
});

test("a snapshot from before affinity is read, without affinity, and written as it was", () => {
  const services = parseSnapshot(OLD);
  expect(services[0]?.table?.traffic.affinity).toBeUndefined();
  expect(JSON.parse(textOf(...services))).toEqual(JSON.parse(OLD));
});

test.each(["clientAddress", { cookie: "session" }, { header: "x-user" }] as const)(
  "affinity %j is kept",
  (affinity) => {
    const [service] = parseSnapshot(OLD);
    if (service?.table == null) throw new Error("the old snapshot has a table");
    const traffic = { ...service.table.traffic, affinity: typeof affinity === "string" ? affinity : { ...affinity } };
    const text = textOf({ ...service, table: { ...service.table, traffic } });
    expect(parseSnapshot(text)[0]?.table?.traffic.affinity).toEqual(affinity);
  },
);

test("maintenance is kept; a snapshot of before has none", () => {
  const [service] = parseSnapshot(OLD);
  if (service === undefined) throw new Error("the old snapshot has a service");
  expect(service.maintenance).toBeNull();
  const plain = { endsIn: "on" as const, page: null, status: 503, retryAfterMs: 60_000, deadlineMs: 1, most: 2 };
  const order = { mode: "hold" as const, until: 7, allow: ["192.0.2.0/24"], ...plain };
  const maintenance = { fence: 3, revision: 4, order };
  expect(parseSnapshot(textOf({ ...service, maintenance }))).toEqual([{ ...service, maintenance }]);
});
