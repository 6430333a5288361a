import { expect, test } from "vitest";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../main/clock.ts";
import { KEEPER_PROTOCOL } from "../wire/keeper.ts";
import { StatePaths } from "../wire/paths.ts";
import { ReconnectingPeer } from "../wire/reconnecting.ts";
import { DRIVER_NAMES } from "./names.ts";
import { makeDrivers } from "./registry.ts";

const never = (): Promise<never> => Promise.reject(new Error("nobody asked for it"));

test("the names that teal.yaml is checked against are those of the drivers there are", () => {
  const root = mkdtempSync(join(tmpdir(), "teal-registry-"));
  const paths = new StatePaths(root);
  const keeper = new ReconnectingPeer({ path: paths.keeperSocket, protocol: KEEPER_PROTOCOL, down: "keeper-down" });
  const drivers = makeDrivers({ keeper, paths, clock: systemClock, uid: 1, environment: {}, cloudWatch: never });
  keeper.close();
  rmSync(root, { recursive: true });
  expect([...drivers.environments.keys()]).toEqual(DRIVER_NAMES.environmentDrivers);
  expect([...drivers.traffic.keys()]).toEqual(DRIVER_NAMES.trafficDrivers);
  expect([...drivers.metrics.keys()]).toEqual(DRIVER_NAMES.metricsDrivers);
  for (const [name, driver] of [...drivers.environments, ...drivers.traffic, ...drivers.metrics])
    expect(driver.name).toBe(name);
});
