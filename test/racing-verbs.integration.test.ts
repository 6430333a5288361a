import { createServer } from "node:net";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CATALOGUE } from "../src/model/catalogue.ts";
import { allProcesses, readCommandLine } from "../src/keeper/procfs.ts";
import { systemClock } from "../src/main/clock.ts";
import { acquireOwnership } from "../src/store/sqlite/ownership.ts";
import { seeded, seedOfThisRun } from "./campaign/seeded.ts";
import { OtherPackage } from "./other-package.ts";
import { type CliResult, Site } from "./site.ts";

type Command = "up" | "upgrade" | "down" | "deploy";

interface Race {
  readonly name: string;
  /** What is there before. */
  readonly from: "nothing" | "running" | "deploying";
  readonly commands: readonly Command[];
  /** They begin within so many milliseconds, in an order that is drawn. */
  readonly withinMs: number;
}

const RACES: readonly Race[] = [
  { name: "two ups", from: "nothing", commands: ["up", "up"], withinMs: 0 },
  { name: "three ups, one of another version", from: "nothing", commands: ["up", "upgrade", "up"], withinMs: 400 },
  { name: "up and down, where nothing runs", from: "nothing", commands: ["up", "down"], withinMs: 1_500 },
  { name: "up, down and up", from: "nothing", commands: ["up", "down", "up"], withinMs: 2_500 },
  { name: "up and down, where it runs", from: "running", commands: ["up", "down"], withinMs: 1_000 },
  { name: "two downs and an up", from: "running", commands: ["down", "down", "up"], withinMs: 1_500 },
  { name: "up during an upgrade", from: "running", commands: ["upgrade", "up"], withinMs: 2_000 },
  { name: "two upgrades", from: "running", commands: ["upgrade", "upgrade"], withinMs: 1_000 },
  { name: "down during an upgrade", from: "running", commands: ["upgrade", "down"], withinMs: 3_000 },
  { name: "down during a deployment", from: "deploying", commands: ["down"], withinMs: 1_500 },
  { name: "all at once", from: "deploying", commands: ["up", "down", "upgrade", "deploy"], withinMs: 3_000 },
];

/** Of each race; more by hand. */
const ROUNDS = Number(process.env["TEAL_ROUNDS"] ?? 1);
const DEADLINE = 60_000;

const seed = seedOfThisRun();

/** Processes that have the folder of this site in what they were started with. */
function left(site: Site): string[] {
  return allProcesses()
    .map(({ pid }) => `${String(pid)} ${readCommandLine(pid).join(" ").slice(0, 160)}`)
    .filter((line) => line.includes(site.dir));
}

/** Nothing of Teal and of its apps is left: no process, no lock, no port. */
async function throwIfAnythingIsLeft(site: Site, port: number): Promise<void> {
  await expect.poll(() => left(site), { timeout: DEADLINE, message: "processes that are left" }).toEqual([]);
  for (const lock of [site.paths.keeperLock, site.paths.serverLock])
    acquireOwnership(lock, { pid: process.pid, host: "here", since: 0, role: "test" }).release();
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  server.close();
  await once(server, "close");
}

/** One keeper, one server, one proxy that serves, and all of them of one version. */
async function throwIfNotWhole(site: Site): Promise<void> {
  const whole = await site.until("one whole Teal", async () => {
    const { keeper, server, proxies } = await site.pids();
    if (server === null || proxies.length !== 1) return null;
    await site.client.status();
    const programs = left(site).filter((line) => /(keeper|server|proxy)\.mjs /.test(line));
    return programs.length === 3 ? { keeper, server, proxy: proxies[0], programs } : null;
  });
  const versions = new Set(whole.programs.map((line) => /runtime\/([^/]+)\//.exec(line)?.[1]));
  expect({ versions: versions.size, programs: whole.programs }).toMatchObject({ versions: 1 });
  const ended = await site.until("no deployment is under way", async () => {
    const service = await site.service();
    return service.deployment === null ? service : null;
  });
  expect(ended.observed).toEqual(ended.traffic);
  expect((await fetch(site.url)).status).toBe(200);
}

/** 0, or an error with a code that people find in the reference; never one that says nothing. */
function throwIfUnclear(command: Command, { code, stderr }: CliResult): void {
  const isClear = Object.keys(CATALOGUE).some((known) => known !== "internal" && stderr.includes(`[${known}]`));
  expect({ command, stderr, isClear: code === 0 || isClear }).toMatchObject({ isClear: true });
}

describe(`verbs that race each other (TEAL_SEED=${String(seed)})`, () => {
  let site: Site;
  let other: OtherPackage;
  let port = 0;
  const random = seeded(seed);
  let version = 1;

  beforeAll(async () => {
    other = await OtherPackage.install("9.9.9");
    site = await Site.up();
    expect((await site.deployed("v1")).state).toBe("completed");
    port = Number(new URL(site.url).port);
    await site.configure({}, `127.0.0.1:${String(port)}`);
    await site.cli("down", "--yes", "--drain", "1s");
  });
  afterAll(async () => {
    await site[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  });

  const run = (command: Command): Promise<CliResult> => {
    switch (command) {
      case "up":
        return site.cli("up", "--detach");
      case "upgrade":
        return site.cliOf(other.program, "up", "--yes", "--detach");
      case "down":
        return site.cli("down", "--yes", "--drain", "1s");
      case "deploy":
        version += 1;
        return site.cli("deploy", "--version", `v${String(version)}`, "--no-wait");
      default:
        return command satisfies never;
    }
  };

  const isRunning = async (): Promise<boolean> =>
    site.pids().then(
      () => true,
      () => false,
    );

  test.each(RACES.flatMap((race) => Array.from({ length: ROUNDS }, (_, round) => ({ ...race, round }))))(
    "$name, round $round",
    { timeout: 300_000 },
    async ({ from, commands, withinMs }) => {
      // What runs may be the other version.
      expect(await site.cli("down", "--yes", "--drain", "1s")).toMatchObject({ code: 0 });
      if (from !== "nothing") expect(await site.cli("up", "--detach")).toMatchObject({ code: 0 });
      if (from === "deploying") await run("deploy");
      const delays = commands.map(() => random() * withinMs);
      const ended = await Promise.all(
        commands.map(async (command, i) => {
          await systemClock.sleep(delays[i] ?? 0);
          return { command, result: await run(command) };
        }),
      );
      const story = ended
        .map(
          ({ command, result }, i) =>
            `${command} at ${String(Math.round(delays[i] ?? 0))}: ${String(result.code)} ${result.stdout}${result.stderr}`,
        )
        .join("\n");
      try {
        for (const { command, result } of ended) throwIfUnclear(command, result);
        if (await isRunning()) await throwIfNotWhole(site);
        else await throwIfAnythingIsLeft(site, port);
      } catch (thrown) {
        throw new Error(`${story}${await site.logs()}`, { cause: thrown });
      }
    },
  );
});
