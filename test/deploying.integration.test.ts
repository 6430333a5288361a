import { createServer } from "node:net";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LoadGenerator } from "../bench/lib/load-generator.ts";
import { Site } from "./site.ts";

describe("the main job, through the command line, under load", () => {
  let site: Site;
  let load: LoadGenerator;

  beforeAll(async () => {
    site = await Site.up();
  });

  afterAll(async () => {
    await site[Symbol.asyncDispose]();
  });

  test("before the first release the proxy says so", async () => {
    const answer = await fetch(site.url);
    expect([answer.status, answer.headers.get("teal-error")]).toEqual([503, "no-release"]);
    const { code, stderr } = await site.cli("rollback", "--yes");
    expect({ code, refused: stderr.includes("nothing-to-roll-back-to") }).toEqual({ code: 6, refused: true });
  });

  test("deploy, deploy, switch, rollback: done, and nothing lost", async () => {
    expect((await site.cli("deploy", "--version", "v1")).code).toBe(0);
    load = new LoadGenerator({ url: site.url, rate: 200, mostMs: 600_000 });
    load.start();
    expect((await site.cli("deploy", "--version", "v2")).code).toBe(0);
    expect(await site.service()).toMatchObject({ active: "green", standby: "blue", rollback: { safe: "safe" } });
    const switched = await site.cli("switch", "--to", "blue", "--json");
    expect(switched.code).toBe(0);
    const refused = await site.cli("switch", "--to", "blue");
    expect({ code: refused.code, stderr: refused.stderr.includes("already-active") }).toEqual({
      code: 6,
      stderr: true,
    });
    expect((await site.cli("rollback")).code).toBe(0);
    expect(await site.service()).toMatchObject({ active: "green", traffic: { green: 100 } });
    const { lost, sent, versions, examples } = await site.settled(load);
    expect({ lost, examples }).toEqual({ lost: 0, examples: [] });
    expect(sent).toBeGreaterThan(500);
    expect(Object.keys(versions)).toEqual(["v1", "v2"]);
  });

  test("a deploy during a deploy is refused with 6; --supersede takes the first one back", async () => {
    await site.configure({ deploy: { shift: [{ weight: 10, for: "60s" }] } });
    const first = await site.deploy("v8");
    await site.atStep(first, "shift-10");
    const { code, stderr } = await site.cli("deploy", "--version", "v9");
    expect({ code, refused: stderr.includes("deployment-running") }).toEqual({ code: 6, refused: true });
    await site.configure({});
    expect((await site.cli("deploy", "--version", "v9", "--supersede")).code).toBe(0);
    expect((await site.client.deployment(first)).state).toBe("aborted");
  });

  const STEPS = ["healthy", "validate", "shift-10", "bake"];
  const abortMs: number[] = [];
  test.each(STEPS)("abort at %s: when the call returns, everything is on the old side", async (step) => {
    const before = await site.service();
    await site.configure({
      deploy: {
        shift: [{ weight: 10, for: step === "shift-10" ? "60s" : "200ms" }],
        bake: "60s",
        ...(step === "validate" ? { validate: { smoke: "sleep 60" } } : {}),
      },
    });
    const id = await site.deploy(step === "healthy" ? "v5" : "v10");
    await site.atStep(id, step);
    if (step === "bake")
      await site.until("100 %", async () => (await site.service()).traffic[before.standby ?? ""] === 100);
    const startedAt = performance.now();
    await site.client.abort(id, {});
    abortMs.push(performance.now() - startedAt);
    const after = await site.service();
    expect(after.traffic[before.active ?? ""]).toBe(100);
    expect((await site.ended(id)).state).toBe("aborted");
    expect(await site.service()).toMatchObject({ active: before.active, deployment: null });
  });

  test("an abort waits for nothing of what it interrupts, which would go on for a minute", () => {
    expect(abortMs).toHaveLength(STEPS.length);
    expect(Math.max(...abortMs)).toBeLessThan(30_000);
  });
});

describe("up", () => {
  test("says that the port is taken, and by whom when it can be known", async () => {
    const holder = createServer();
    holder.listen(0, "127.0.0.1");
    await once(holder, "listening");
    const address = holder.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    await using site = await Site.create();
    await site.configure({}, `127.0.0.1:${String(address.port)}`);
    const { code, stderr } = await site.cli("up", "--detach");
    holder.close();
    expect(code).toBe(1);
    expect(stderr).toContain(`127.0.0.1:${String(address.port)}`);
    expect(stderr).toContain("port-taken");
    await expect(site.pids()).rejects.toMatchObject({ code: "keeper-down" });
  });

  test("with a broken teal.yaml names every place, and exits with 2", async () => {
    await using site = await Site.create();
    await site.configure({ environment: { count: 0 }, healthh: {} });
    const { code, stderr } = await site.cli("up", "--detach");
    expect(code).toBe(2);
    expect(stderr).toContain("services.web.environment.count");
    expect(stderr).toContain("health");
  });
});
