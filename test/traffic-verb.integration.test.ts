import { expect, test } from "vitest";
import { Site } from "./site.ts";

test("the split is shown and set by hand; during a deployment only by force, and its abort still takes it back", async () => {
  await using site = await Site.up();
  for (const version of ["v1", "v2"]) expect((await site.deployed(version)).state).toBe("completed");

  expect((await site.cli("traffic", "--set", "blue=90")).code).toBe(2);
  const unknown = await site.cli("traffic", "--set", "red=100");
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining("environment-unknown")]);
  const set = await site.cli("traffic", "--set", "blue=30,green=70", "--reason", "a try", "--json");
  expect(set.code).toBe(0);
  expect(JSON.parse(set.stdout)).toMatchObject({ service: "web", weights: { blue: 30, green: 70 } });
  const shown = await site.cli("traffic", "--json");
  expect(JSON.parse(shown.stdout)).toMatchObject({
    desired: { blue: 30, green: 70 },
    observed: { blue: 30, green: 70 },
    drift: false,
  });
  const served = await Promise.all(Array.from({ length: 60 }, async () => (await fetch(site.url)).status));
  expect(new Set(served)).toEqual(new Set([200]));
  const asked = await site.cli("events", "--json");
  expect(asked.stdout).toMatch(/"type":"traffic-asked".*"reason":"a try"/);

  expect((await site.cli("traffic", "--set", "green=100")).code).toBe(0);
  await site.configure({ deploy: { shift: [{ weight: 10, for: "60s" }] } });
  const id = await site.deploy("v3");
  await site.atStep(id, "shift-10");
  await site.until("10 %", async () => (await site.service()).observed?.["blue"] === 10);
  const refused = await site.cli("traffic", "--set", "blue=40,green=60");
  expect([refused.code, refused.stderr]).toEqual([6, expect.stringContaining("deployment-running")]);
  expect((await site.cli("resume")).code).toBe(6);
  expect((await site.cli("traffic", "--set", "blue=40,green=60", "--force")).code).toBe(0);
  expect((await site.service()).observed).toEqual({ blue: 40, green: 60 });
  expect((await site.cli("abort")).code).toBe(0);
  expect((await site.service()).observed).toMatchObject({ green: 100 });
});
