import { expect, test } from "vitest";
import type { ServiceTable } from "../wire/proxy.ts";
import { checkTable } from "./check-table.ts";

const good: ServiceTable = {
  service: "web",
  fence: 1,
  generation: 1,
  deployment: null,
  weights: { blue: 100 },
  backends: [{ environment: "blue", release: "v1", instances: [{ id: "web/blue/v1/0", address: "127.0.0.1:3000" }] }],
  revertTo: null,
  traffic: { driver: "embedded", hosts: [], paths: ["/"], drainMs: 1, longLivedMs: 1, onControllerLoss: "keep" },
  health: { path: "/", status: 200, intervalMs: 1, timeoutMs: 1, healthyAfter: 1, unhealthyAfter: 1, deadlineMs: 1 },
};
const at = (address: string): ServiceTable => ({
  ...good,
  backends: [{ environment: "blue", release: "v1", instances: [{ id: "i", address }] }],
});

test("a whole table passes, and one of a service without a release", () => {
  expect(() => checkTable(good)).not.toThrow();
  expect(() => checkTable({ ...good, weights: {}, backends: [] })).not.toThrow();
  expect(() => checkTable(at("[::1]:80"))).not.toThrow();
});

test.each([
  ["weights that do not sum to 100", { ...good, weights: { blue: 90 } }, "sum to 90"],
  ["weight without a backend", { ...good, weights: { green: 100 } }, "green"],
  ["a target of the revert without a backend", { ...good, revertTo: { green: 100 } }, "green"],
  ["an environment twice", { ...good, backends: [...good.backends, ...good.backends] }, "twice"],
  ["an address without a port", at("127.0.0.1"), "host:port"],
  ["port 0", at("127.0.0.1:0"), "host:port"],
  ["port 65536", at("127.0.0.1:65536"), "host:port"],
])("%s is refused", (_, table, message) => {
  expect(() => checkTable(table)).toThrow(
    expect.objectContaining({ code: "request-invalid", message: expect.stringContaining(message) }),
  );
});
