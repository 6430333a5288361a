import { execFile } from "node:child_process";
import { cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LoadGenerator } from "../bench/lib/load-generator.ts";
import { Site } from "./site.ts";

const STEPS = ["preflight", "provision", "start", "healthy", "validate", "shift-10", "shift-50", "shift-100", "bake"];

describe("kill -9, under load", () => {
  let site: Site;
  let load: LoadGenerator;
  let version = 10;

  beforeAll(async () => {
    site = await Site.up({ deploy: { validate: { smoke: "node smoke.js" } } });
    expect((await site.deployed("v9")).state).toBe("completed");
    load = new LoadGenerator({ url: site.url, rate: 100, mostMs: 1_200_000 });
    load.start();
  });

  afterAll(async () => {
    const { lost, examples } = await site.settled(load);
    await site[Symbol.asyncDispose]();
    expect({ lost, examples }).toEqual({ lost: 0, examples: [] });
  });

  test.each(STEPS)("of the server when %s begins: the same deployment goes on to its end", async (step) => {
    version += 1;
    const id = await site.deploy(`v${String(version)}`);
    await site.atStep(id, step);
    const { server } = await site.pids();
    if (server === null) throw new Error("the server does not run");
    process.kill(server, "SIGKILL");
    const deployment = await site.ended(id);
    expect({ state: deployment.state, cause: deployment.cause }).toEqual({ state: "completed", cause: null });
    expect(await site.service()).toMatchObject({ active: deployment.to, traffic: { [deployment.to]: 100 } });
  });

  test("of the keeper: the proxy starts a new one, which takes everything over", async () => {
    const before = await site.pids();
    const instances = (await site.service()).environments.flatMap((environment) =>
      environment.instances.map(({ pid }) => pid),
    );
    process.kill(before.keeper, "SIGKILL");
    const after = await site.until("a new keeper", async () => {
      const now = await site.pids();
      return now.keeper !== before.keeper ? now : null;
    });
    expect(after.proxies).toEqual(before.proxies);
    await site.until("the same instances", async () => {
      const now = (await site.service()).environments.flatMap((environment) =>
        environment.instances.map(({ pid }) => pid),
      );
      return now.length === instances.length && now.every((pid) => instances.includes(pid));
    });
    version += 1;
    expect((await site.deployed(`v${String(version)}`)).state).toBe("completed");
  });
});

describe("processes that come and go", () => {
  test("after kill -9 of the proxy a new one serves from its snapshot, with the split that was live", async () => {
    await using site = await Site.up();
    await site.deployed("v1");
    const before = await site.pids();
    for (const pid of before.proxies) process.kill(pid, "SIGKILL");
    await site.until("an answer", async () => (await answerOf(site.url)) === 200);
    expect((await site.pids()).proxies).not.toEqual(before.proxies);
    expect((await site.deployed("v2")).state).toBe("completed");
  });

  test("down and up again starts the recorded release, whatever teal.yaml says by then", async () => {
    await using site = await Site.up();
    await site.deployed("v1");
    await site.cli("down", "--yes");
    expect(await answerOf(site.url)).toBe("refused");
    await site.configure({ environment: { command: "no-such-program" } });
    await site.start();
    await site.until("an answer", async () => (await answerOf(site.url)) === 200);
    expect(await site.service()).toMatchObject({ active: "blue", traffic: { blue: 100 } });
  });

  test.each(["services: [", null])("it comes back although teal.yaml is %j by then, with a warning", async (text) => {
    await using site = await Site.up();
    await site.deployed("v1");
    await site.cli("down", "--yes");
    const file = join(site.dir, "teal.yaml");
    await (text === null ? rm(file) : writeFile(file, text));
    const { code, stdout } = await site.cli("up", "--detach", "--config", "teal.yaml");
    expect({ code, warned: stdout.includes("Teal comes back with the releases and addresses on record") }).toEqual({
      code: 0,
      warned: true,
    });
    site.url = `http://${(await site.client.status()).listeners[0]?.address ?? ""}`;
    await site.until("an answer", async () => (await answerOf(site.url)) === 200);
  });

  test("another file of the same folder is not deployed in the name of the one that runs", async () => {
    await using site = await Site.up();
    await cp(join(site.dir, "teal.yaml"), join(site.dir, "other.yaml"));
    const { code, stderr } = await site.cli("deploy", "--version", "v1", "--config", "other.yaml");
    expect(code).toBe(2);
    expect(stderr).toContain("Teal runs here with");
  });

  test("a second server on the same state directory is refused, and names the first", async () => {
    await using site = await Site.up();
    const { server } = await site.pids();
    const bundle = join(import.meta.dirname, "..", "dist", "runtime");
    const launch = { root: site.paths.root, runtime: bundle, config: join(site.dir, "teal.yaml") };
    const { code, output } = await run([join(bundle, "server.mjs"), JSON.stringify(launch)]);
    expect(code).toBe(78);
    expect(output).toContain("server-locked");
    expect(output).toContain(String(server));
    expect((await site.pids()).server).toBe(server);
  });

  test("a server comes back although teal.yaml was broken meanwhile, and a deploy says what is wrong with it", async () => {
    await using site = await Site.up();
    await site.deployed("v1");
    await site.configure({ health: { interval: "soon" } });
    const { server } = await site.pids();
    process.kill(server ?? 0, "SIGKILL");
    await site.until(
      "a new server",
      async () => (await site.pids()).server !== server && (await site.service()).active === "blue",
    );
    const { code, stderr } = await site.cli("deploy", "--version", "v2");
    expect(code).toBe(2);
    expect(stderr).toMatch(/teal\.yaml:\d+: services\.web\.health\.interval/);
  });
});

async function answerOf(url: string): Promise<number | "refused"> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).status;
  } catch {
    return "refused";
  }
}

function run(args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((done) => {
    execFile(process.execPath, args, { timeout: 20_000 }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}
