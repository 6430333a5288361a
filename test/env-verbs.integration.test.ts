import { expect, test } from "vitest";
import { Site } from "./site.ts";

test("an environment is stopped, started, scaled and retired from the command line", async () => {
  await using site = await Site.up();
  for (const version of ["v1", "v2"]) expect((await site.deployed(version)).state).toBe("completed");
  const blue = async () => (await site.service()).environments.find(({ name }) => name === "blue");

  expect((await site.cli("env", "stop", "green")).code).toBe(6);
  expect((await site.cli("env", "stop", "red")).code).toBe(2);
  const stopped = await site.cli("env", "stop", "blue", "--json");
  expect([stopped.code, JSON.parse(stopped.stdout)]).toEqual([0, expect.objectContaining({ changed: true })]);
  expect((await blue())?.instances).toEqual([]);

  expect((await site.cli("env", "scale", "blue", "--count", "3")).code).toBe(0);
  const started = await site.cli("env", "start", "blue", "--json");
  expect([started.code, JSON.parse(started.stdout)]).toEqual([0, expect.objectContaining({ state: "ready" })]);
  expect((await blue())?.instances.filter(({ healthy }) => healthy)).toHaveLength(3);
  expect((await site.cli("env", "scale", "blue", "--count", "1")).code).toBe(0);
  expect((await blue())?.instances).toHaveLength(1);

  expect((await site.cli("env", "retire", "blue", "--yes")).code).toBe(0);
  expect(await blue()).toMatchObject({ version: null, instances: [] });
  expect((await site.cli("env", "retire", "blue", "--yes")).code).toBe(0);
});
