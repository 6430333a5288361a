import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mayDieWithItsInstance } from "../bench/lib/allowance.ts";
import { LoadGenerator } from "../bench/lib/load-generator.ts";
import { Site } from "./site.ts";

describe("a bad release, under load", () => {
  let site: Site;
  let load: LoadGenerator;

  beforeAll(async () => {
    site = await Site.up({
      health: { deadline: "10s" },
      deploy: {
        validate: { endpoint: "/deployment/validate", smoke: "node smoke.js" },
        guardrails: { latency: { p50: { rollBack: "2x" } } },
      },
    });
    expect((await site.deployed("v1")).state).toBe("completed");
    load = new LoadGenerator({ url: site.url, rate: 200, mostMs: 600_000 });
    load.start();
  });

  afterAll(async () => {
    const { lost, examples } = await site.settled(load);
    await site[Symbol.asyncDispose]();
    expect({ lost, examples }).toEqual({ lost: 0, examples: [] });
  });

  const BAD = [
    ["v3", "fails a fifth of its requests", "rolled-back", "guardrail-breached"],
    ["v4", "is slow", "rolled-back", "guardrail-breached"],
    ["v5", "never becomes healthy", "failed", "not-healthy"],
    ["v7", "fails its smoke test", "failed", "validation-failed"],
  ] as const;

  test.each(BAD)("%s, which %s, ends %s", async (version, _what, state, code) => {
    const deployment = await site.deployed(version);
    expect({ state: deployment.state, cause: deployment.cause }).toMatchObject({ state, cause: { code } });
    expect(await site.service()).toMatchObject({ active: "blue", traffic: { blue: 100 }, deployment: null });
  });
});

describe("a release that crashes under load", () => {
  test("v6, which crashes after five seconds, is rolled back; only orders that it had been given are lost", async () => {
    await using site = await Site.up({
      deploy: { shift: [{ weight: 10, for: "10s" }] },
    });
    expect((await site.deployed("v1")).state).toBe("completed");
    const load = new LoadGenerator({ url: site.url, rate: 200, mostMs: 600_000 });
    load.start();
    const deployment = await site.deployed("v6");
    expect(deployment.state).toBe("rolled-back");
    expect(await site.service()).toMatchObject({ active: "blue", traffic: { blue: 100 } });
    await site.settled(load);
    expect(load.ledger.losses.filter((loss) => !mayDieWithItsInstance(loss))).toEqual([]);
  });
});

describe("a release that cannot be started", () => {
  test("it crashes: a pipe gets the notes of its plan, what it said, and its logs", async () => {
    const script = "console.log('starting'); throw new TypeError('no database')";
    await using site = await Site.up({ environment: { command: `node -e "${script}" && echo never` } });
    const { code, stdout } = await site.cli("deploy", "--version", "v1");
    expect(code).toBe(1);
    expect(stdout).toMatch(/^\S+ Note: environment\.command runs as `exec …` in a shell, so `&&` does not/m);
    expect(stdout).toMatch(/it said: TypeError: no database/);
    const logs = await site.cli("logs", "blue");
    expect(logs.stdout).toMatch(/starting$/m);
    expect(logs.stdout).toMatch(/TypeError: no database/);
    const listed = await site.cli("env", "--config", "teal.yaml", "list", "--json");
    expect({ code: listed.code, stderr: listed.stderr }).toEqual({ code: 0, stderr: "" });
    expect((await site.cli("check")).stdout).toMatch(/^warning: web: environment\.command runs/m);
  });

  test("its command is not found", async () => {
    await using site = await Site.up({ environment: { command: "no-such-program --serve" } });
    const deployment = await site.deployed("v1");
    expect(deployment).toMatchObject({ state: "failed", cause: { code: "command-not-found" } });
    const { code, stderr } = await site.cli("deploy", "--version", "v2");
    expect({ code, stderr }).toMatchObject({ code: 1 });
  });

  test("a smoke command that hangs is ended at its deadline, with all that it started", async () => {
    await using site = await Site.up({ deploy: { validate: { smoke: "sleep 300 & sleep 300", deadline: "1s" } } });
    const deployment = await site.deployed("v1");
    expect(deployment).toMatchObject({ state: "failed", cause: { code: "deadline-passed" } });
  });

  test("its folder vanished: a rollback to it is refused while the active one goes on, and a deploy unpacks it anew", async () => {
    await using site = await Site.up({ deploy: { shift: [], bake: "0ms" } });
    for (const version of ["v1", "v2"]) expect((await site.deployed(version)).state).toBe("completed");
    await rm(join(site.paths.releases, "web", "v1"), { recursive: true });
    await site.cli("down", "--yes");
    await site.start();
    const { code, stderr } = await site.cli("rollback", "--yes");
    expect({ code, stderr: stderr.includes("release-missing") }).toEqual({ code: 1, stderr: true });
    expect((await fetch(site.url)).status).toBe(200);
    expect((await site.deployed("v1")).state).toBe("completed");
  });

  test("files that change at the source under the same version are a release of their own", async () => {
    await using site = await Site.up();
    await writeFile(join(site.dir, "app", "new-file"), "one");
    expect((await site.deployed("v1")).state).toBe("completed");
    await writeFile(join(site.dir, "app", "new-file"), "two");
    expect((await site.deployed("v1")).release).toBe("v1+1");
  });
});
