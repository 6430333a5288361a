import { expect, test } from "vitest";
import { takeChanged } from "./cells.ts";
import { tableOf } from "./plane-harness.ts";
import { ServiceState } from "./service-state.ts";

test("an instance that a check takes out, and a worker that is lost, mark the service: its sample is told", () => {
  const service = new ServiceState("api", 1);
  service.goLive(service.prepare({ ...tableOf({ size: 1 }), service: "api" }, 1));
  const [instance] = service.instances;
  if (instance === undefined) throw new Error("it has an instance");
  service.ejected(instance);
  expect(takeChanged(service.cell)).toBe(true);
  service.forgetWorker(0);
  expect(takeChanged(service.cell)).toBe(true);
});
