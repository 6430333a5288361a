import { expect, test } from "vitest";
import { takeChanged } from "./cells.ts";
import { tableOf } from "./plane-harness.ts";
import { ServiceState } from "./service-state.ts";

test("whatever changes in the main thread marks the service, so that its sample is told", () => {
  const service = new ServiceState("web", 1);
  const marks = (): boolean => takeChanged(service.cell);
  const table = tableOf({ size: 1 });
  expect([marks(), marks()]).toEqual([true, false]);
  // Two environments are new.
  service.goLive(service.prepare(table, 1));
  expect([marks(), marks()]).toEqual([true, false]);
  service.goLive(service.prepare(table, 3));
  expect(marks()).toBe(false);
  const [instance] = service.instances;
  if (instance === undefined) throw new Error("it has an instance");
  const changes = [
    () => {
      service.switched();
    },
    () => {
      service.mode = null;
    },
    // A check takes an instance out.
    () => {
      service.ejected(instance);
    },
    () => {
      service.forgetWorker(0);
    },
  ];
  for (const change of changes) {
    change();
    expect([marks(), marks()]).toEqual([true, false]);
  }
  expect(service.switches).toBe(1);
});
