import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { KeeperHarness } from "../../../../test/keeper-harness.ts";
import { systemClock } from "../../../main/clock.ts";
import type { Release } from "../../../model/release.ts";
import type { ServiceSpec } from "../../../model/service.ts";
import { type ConformanceApp, environmentConformance } from "../../../ports/environment.conformance.ts";
import type { ActContext } from "../../../ports/context.ts";
import { ProcessDriver } from "./driver.ts";
import { isAlive } from "../../../wire/process-stat.ts";

const GOOD = `
import { createServer } from "node:http";
const { TEAL_VERSION: version, TEAL_INSTANCE: instance, PORT, HOST } = process.env;
createServer((_, response) => response.setHeader("connection", "close").end(JSON.stringify({ version, instance }))).listen(Number(PORT), HOST);
console.log("hello from " + version);
`;
const CODE: Readonly<Record<Exclude<ConformanceApp, "missing">, string>> = {
  good: GOOD,
  crashes: `console.error("last words"); process.exit(3);`,
  silent: `setInterval(() => undefined, 1000);`,
};

function serviceSpec(command: string | readonly string[], count: number): ServiceSpec {
  return {
    name: "web",
    release: { kind: "none", dir: "/" },
    environment: {
      driver: "process",
      command,
      count,
      env: {},
      envFiles: [],
      stop: { signal: "SIGTERM", timeoutMs: 5_000 },
      user: null,
    },
    health: {
      path: "/health",
      status: 200,
      intervalMs: 100,
      timeoutMs: 1_000,
      healthyAfter: 2,
      unhealthyAfter: 3,
      deadlineMs: 30_000,
    },
    traffic: { driver: "embedded", hosts: [], paths: ["/"], drainMs: 0, longLivedMs: 0, onControllerLoss: "revert" },
    deploy: {} as ServiceSpec["deploy"],
    database: null,
    notify: [],
  };
}

async function setUp() {
  const harness = new KeeperHarness();
  await harness.start();
  const driver = new ProcessDriver({
    keeper: harness.keeper,
    paths: harness.paths,
    clock: systemClock,
    environment: { PATH: process.env["PATH"], LANG: "C.UTF-8", SHOULD_NOT_PASS: "x" },
    uid: process.getuid?.() ?? 0,
  });
  const release = (command: string | readonly string[], version: string, count: number): Release => ({
    id: version,
    service: "web",
    version,
    digest: null,
    directory: harness.folder,
    spec: serviceSpec(command, count),
    createdAt: 0,
  });
  return { harness, driver, release };
}

environmentConformance("process", async () => {
  const { harness, driver, release } = await setUp();
  return {
    driver,
    release: (app, version, count) =>
      release(app === "missing" ? "no-such-command --flag" : harness.app(app, CODE[app]).join(" "), version, count),
    close: () => harness.close(),
  };
});

describe("of processes", () => {
  let parts: Awaited<ReturnType<typeof setUp>>;
  const signal = new AbortController().signal;
  const context = (): ActContext => ({
    signal,
    fence: 1,
    idempotencyKey: "k",
    attempt: 1,
    deadline: performance.now() + 30_000,
  });
  beforeEach(async () => {
    parts = await setUp();
  });
  afterEach(() => parts.harness.close());

  const start = (
    command: string | readonly string[],
    directory = parts.harness.folder,
    variables = {},
  ): Promise<void> =>
    parts.driver.start(
      { service: "web", environment: "blue", release: { ...parts.release(command, "v1", 1), directory }, variables },
      context(),
    );

  test("an app gets exactly the variables that it may have", async () => {
    const app = parts.harness.app(
      "env",
      `console.log(JSON.stringify(process.env)); setInterval(() => undefined, 1000);`,
    );
    await start(app, undefined, { MINE: "1", HOST: "0.0.0.0", TEAL_VERSION: "forged" });
    await expect.poll(() => parts.harness.logOf("blue")).toContain("{");
    const text = parts.harness.logOf("blue");
    const { PORT, ...environment } = JSON.parse(text.slice(text.indexOf("{"))) as Record<string, string>;
    expect(Number(PORT)).toBeGreaterThanOrEqual(20_000);
    expect(environment).toEqual({
      PATH: process.env["PATH"],
      LANG: "C.UTF-8",
      HOST: "0.0.0.0",
      MINE: "1",
      TEAL_SERVICE: "web",
      TEAL_ENVIRONMENT: "blue",
      TEAL_VERSION: "v1",
      TEAL_INSTANCE: "web/blue/v1/0",
    });
  });

  test("a program that is not there, or is not executable, is refused at the start", async () => {
    await expect(start(["no-such-program"])).rejects.toMatchObject({ code: "command-not-found" });
    await expect(start(["no-such-program"])).rejects.toThrow(/no-such-program was not found in PATH/);
    const [, file = ""] = parts.harness.app("plain", "");
    chmodSync(file, 0o644);
    await expect(start([file])).rejects.toThrow(/is not executable/);
  });

  test("a release folder that has vanished is told as such", async () => {
    const gone = join(parts.harness.folder, "gone");
    mkdirSync(gone);
    rmSync(gone, { recursive: true });
    const refusal = start(["sleep", "60"], gone);
    await expect(refusal).rejects.toMatchObject({ code: "release-missing" });
    await expect(refusal).rejects.toThrow(gone);
  });

  test("a user that is not there is refused by name", async () => {
    const bad = parts.release(["sleep", "60"], "v1", 1);
    const spec = { ...bad.spec, environment: { ...bad.spec.environment, user: "nobody-here" } };
    const refusal = parts.driver.start(
      { service: "web", environment: "blue", release: { ...bad, spec }, variables: {} },
      context(),
    );
    await expect(refusal).rejects.toThrow(/there is no user nobody-here/);
  });

  test("what ended while the keeper was away is told as stopped when it is back", async () => {
    const heard: string[] = [];
    parts.driver.watch((_service, _environment, { id, state }) => heard.push(`${id} ${state}`), signal);
    await start(["sleep", "60"]);
    const [instance] = (await parts.driver.observe("web", "blue", signal)).instances;
    const pids = [await parts.harness.pid(), instance?.pid ?? 0];
    for (const pid of pids) process.kill(pid, "SIGKILL");
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
    // The next one takes the dead one's place without a proxy, as there is none.
    await parts.harness.start();
    await expect.poll(() => heard, { timeout: 20_000 }).toContain("web/blue/v1/0 stopped");
  });
});
