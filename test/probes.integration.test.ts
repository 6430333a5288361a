import { describe, expect, test } from "vitest";
import type { EventAnswer } from "../src/sdk/client.ts";
import { Site } from "./site.ts";

/** Ten a second to each side, so that evidence takes seconds; a site would send one a second. */
const PROBES = { checks: [{ path: "/", status: 200, body: '"version"' }], every: "100ms", timeout: "5s" };
const GUARDRAILS = { minRequests: 1 };

async function guardrails(site: Site): Promise<EventAnswer[]> {
  const events: EventAnswer[] = [];
  for await (const event of site.client.events({ after: 0, follow: false }))
    if (event.type === "guardrail" || event.type === "step-progress") events.push(event);
  return events;
}

/** Requests that the proxy has counted of users, by environment. */
async function counted(site: Site): Promise<Record<string, number>> {
  const text = await site.client.metrics();
  const lines = text.matchAll(/^teal_proxy_requests_total\{[^}]*environment="(\w+)"[^}]*\} (\d+)$/gm);
  const all: Record<string, number> = {};
  for (const [, name = "", count] of lines) all[name] = (all[name] ?? 0) + Number(count);
  return all;
}

describe("probes", () => {
  test("promote a release that hardly anybody uses, across kill -9 of the server, and count for no user", async () => {
    await using site = await Site.up({
      deploy: {
        shift: [{ weight: 50, for: "1s" }],
        advance: "both",
        maxWait: "5m",
        probes: PROBES,
        guardrails: GUARDRAILS,
      },
    });
    await site.deployed("v1");
    const before = await site.until("the proxy's counters", async () => counted(site));
    const id = await site.deploy("v2");
    await site.atStep(id, "shift-50");
    // Who forges the mark is a user like any other.
    const forged = await fetch(site.url, { headers: { "teal-probe": id } });
    expect([forged.status, await forged.json()]).toMatchObject([200, { version: expect.any(String) as string }]);
    await site.until("probes are on record", async () =>
      (await guardrails(site)).some(({ data }) => Number(data["probes"]) >= 50),
    );
    const { server } = await site.pids();
    if (server === null) throw new Error("the server does not run");
    process.kill(server, "SIGKILL");
    const { state, cause } = await site.until(
      "it ends",
      async () => {
        const deployment = await site.client.deployment(id);
        return deployment.endedAt === null ? null : deployment;
      },
      100_000,
    );
    expect({ state, cause }).toEqual({ state: "completed", cause: null });
    const said = (await guardrails(site)).map(({ data }) => String(data["message"]));
    expect(said.join("\n")).toMatch(
      /green is shown to be not worse by probes, as users' requests are too few: \d{3} probes of green, 0 failed; \d{3} of blue, 0 failed/,
    );
    const sum = (all: Record<string, number>): number => Object.values(all).reduce((total, count) => total + count, 0);
    const after = await site.until("the user's request is counted", async () => {
      const all = await counted(site);
      return sum(all) > sum(before) ? all : null;
    });
    expect(sum(after) - sum(before)).toBe(1);
  });

  test("take back a release that fails, with no user about", async () => {
    await using site = await Site.up({
      deploy: { shift: [{ weight: 10, for: "60s" }], probes: PROBES, guardrails: GUARDRAILS },
    });
    await site.deployed("v1");
    const { state, cause } = await site.deployed("v3");
    expect({ state, cause }).toMatchObject({ state: "rolled-back", cause: { code: "guardrail-breached" } });
    expect(cause).toMatchObject({ message: expect.stringMatching(/^by probes: green fails \d+/) as string });
    expect(await site.service()).toMatchObject({ active: "blue", traffic: { blue: 100, green: 0 } });
    const told = (await guardrails(site)).find(({ type }) => type === "guardrail");
    expect(told?.data).toMatchObject({ action: "rollBack", source: "probes" });
  });
});
