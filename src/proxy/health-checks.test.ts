import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../main/clock.ts";
import { INSTANCE_CELL, sharedInts } from "./cells.ts";
import { HealthChecks, HealthVerdict } from "./health-checks.ts";

function instance(): { verdict: HealthVerdict; cell: Int32Array<SharedArrayBuffer>; healthy: () => boolean } {
  const cell = sharedInts(3);
  Atomics.store(cell, INSTANCE_CELL.healthy, 1);
  const verdict = new HealthVerdict(cell, { healthyAfter: 2, unhealthyAfter: 3 });
  return { verdict, cell, healthy: () => Atomics.load(cell, INSTANCE_CELL.healthy) === 1 };
}

test("unhealthy after so many bad checks in a row, healthy after so many good ones", () => {
  const { verdict, healthy } = instance();
  for (const isGood of [false, false, true, false, false]) expect(verdict.note(isGood)).toBeNull();
  expect(healthy()).toBe(true);
  expect(verdict.note(false)).toBe("unhealthy");
  expect(healthy()).toBe(false);
  expect(verdict.note(false)).toBeNull();
  expect(verdict.note(true)).toBeNull();
  expect(healthy()).toBe(false);
  expect(verdict.note(true)).toBe("healthy");
  expect(healthy()).toBe(true);
});

test("after refused connects alone, one good check is enough", () => {
  const { verdict, cell, healthy } = instance();
  Atomics.store(cell, INSTANCE_CELL.healthy, 0);
  Atomics.store(cell, INSTANCE_CELL.refused, 5);
  expect(verdict.note(true)).toBe("healthy");
  expect(healthy()).toBe(true);
  expect(Atomics.load(cell, INSTANCE_CELL.refused)).toBe(0);
});

test("each instance is checked by the rule of its own release", async () => {
  const answering = async (path: string) => {
    const server = createServer((request, response) => response.writeHead(request.url === path ? 200 : 404).end());
    onTestFinished(() => void server.close());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const cell = sharedInts(3);
    const { port } = server.address() as AddressInfo;
    const spec = {
      path,
      status: 200,
      intervalMs: 5,
      timeoutMs: 500,
      healthyAfter: 1,
      unhealthyAfter: 2,
      deadlineMs: 0,
    };
    return { instance: { id: path, host: "127.0.0.1", port, cell }, spec };
  };
  const [old, young] = [await answering("/old"), await answering("/new")];
  const checks = new HealthChecks(systemClock, () => undefined);
  onTestFinished(() => {
    checks.close();
  });
  const health = () => [old, young].map(({ instance }) => Atomics.load(instance.cell, INSTANCE_CELL.healthy));
  checks.watch("web", [old, young]);
  await vi.waitFor(() => {
    expect(health()).toEqual([1, 1]);
  }, 20_000);
  checks.watch("web", [old, { ...young, spec: old.spec }]);
  await vi.waitFor(() => {
    expect(health()).toEqual([1, 0]);
  }, 20_000);
});

test.each([
  ["an instance that does not answer in time is unhealthy", 0, 0],
  ["a check that this process stood still in says nothing of the instance", 17_000, 1],
])("%s", async (_, lostMs, health) => {
  let asked = 0;
  // The first check is not answered.
  const server = createServer((_request, response) => (++asked > 1 ? response.end() : undefined));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cell = sharedInts(3);
  Atomics.store(cell, INSTANCE_CELL.healthy, 1);
  const { port } = server.address() as AddressInfo;
  const turns: string[] = [];
  let looks = 0;
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + (looks++ === 0 ? 0 : lostMs) };
  const checks = new HealthChecks(clock, (turn) => turns.push(turn));
  onTestFinished(() => {
    checks.close();
  });
  const spec = {
    path: "/",
    status: 200,
    intervalMs: 5,
    timeoutMs: 100,
    healthyAfter: 1_000,
    unhealthyAfter: 1,
    deadlineMs: 0,
  };
  checks.watch("web", [{ instance: { id: "a", host: "127.0.0.1", port, cell }, spec }]);
  await vi.waitFor(() => {
    expect(asked).toBeGreaterThan(3);
  }, 20_000);
  expect(Atomics.load(cell, INSTANCE_CELL.healthy)).toBe(health);
  expect(turns).toEqual(health === 1 ? [] : ["unhealthy"]);
});
