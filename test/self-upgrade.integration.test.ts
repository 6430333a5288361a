import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { UpResult } from "../src/main/up.ts";
import { storeSchema } from "../src/store/sqlite/store-schema.ts";
import { LoadGenerator } from "../bench/lib/load-generator.ts";
import { OtherPackage } from "./other-package.ts";
import { type CliResult, Site } from "./site.ts";

const answerOf = ({ stdout }: CliResult): UpResult => JSON.parse(stdout) as UpResult;
const running = (result: UpResult): string[] => [...new Set(result.processes.map(({ runtime }) => runtime))];

describe("another version of Teal, under load", () => {
  let site: Site;
  let load: LoadGenerator;
  let first: string;

  beforeAll(async () => {
    site = await Site.up();
    expect((await site.deployed("v1")).state).toBe("completed");
    first = answerOf(await site.cli("up", "--json")).runtime;
    load = new LoadGenerator({ url: site.url, rate: 100, mostMs: 600_000 });
    load.start();
  });

  afterAll(async () => {
    const { lost, examples, sent } = await site.settled(load);
    await site[Symbol.asyncDispose]();
    expect({ lost, examples }).toEqual({ lost: 0, examples: [] });
    expect(sent).toBeGreaterThan(100);
  });

  test("whose proxy does not come up: the old one goes on, and nothing else is touched", async () => {
    await using broken = await OtherPackage.install("0.9.1", { "proxy.mjs": "process.exit(3);" });
    const before = await site.pids();
    const { code, stdout, stderr } = await site.cliOf(broken.program, "up", "--yes", "--detach");
    expect({ code, stdout, stderr }).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("✗ proxy"),
      stderr: expect.stringMatching(/the old one goes on[^]*exit code 3[^]*upgrade-failed/),
    });
    expect(await site.pids()).toEqual(before);
  });

  test("whose server does not come up: the old one runs again, and the proxy goes back", async () => {
    await using broken = await OtherPackage.install("0.9.2", { "server.mjs": "process.exit(3);" });
    const { code, stdout } = await site.cliOf(broken.program, "up", "--yes", "--detach");
    expect({ code, stdout }).toMatchObject({ code: 1, stdout: expect.stringMatching(/✗ server[^]*✓ proxy: back to/) });
    const now = answerOf(await site.cli("up", "--json"));
    expect(new Set(now.processes.filter(({ draining }) => !draining).map(({ runtime }) => runtime))).toEqual(
      new Set([first]),
    );
  });

  test("whose keeper does not come up: the proxy starts the old one, and all goes back", async () => {
    await using broken = await OtherPackage.install("0.9.3", { "keeper.mjs": "process.exit(3);" });
    const apps = await site.appPids();
    const { code, stdout } = await site.cliOf(broken.program, "up", "--yes", "--detach");
    expect({ code, stdout }).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/✗ keeper[^]*✓ server: back to[^]*✓ proxy: back to/),
    });
    const now = answerOf(await site.cli("up", "--json"));
    expect(new Set(now.processes.filter(({ draining }) => !draining).map(({ runtime }) => runtime))).toEqual(
      new Set([first]),
    );
    expect(await site.appPids()).toEqual(apps);
  });

  test("is told of, takes over only when asked, and an older one is refused then", async () => {
    await using next = await OtherPackage.install("1.0.0");
    const told = await site.cliOf(next.program, "up");
    expect(told).toMatchObject({ code: 0, stdout: expect.stringContaining("`teal up --yes` upgrades it") });
    const apps = await site.appPids();
    const before = await site.pids();
    const upgraded = await site.cliOf(next.program, "up", "--yes", "--detach", "--json");
    expect(upgraded).toMatchObject({ code: 0, stderr: "" });
    expect(answerOf(upgraded)).toMatchObject({ already: true, runtime: next.runtime, upgradedFrom: first });
    const after = await site.pids();
    expect([after.keeper, after.server, after.proxies.at(-1)]).not.toEqual([
      before.keeper,
      before.server,
      before.proxies.at(-1),
    ]);
    expect(await site.appPids()).toEqual(apps);
    expect(await site.cli("up", "--yes")).toMatchObject({ code: 6, stderr: expect.stringContaining("older-version") });
  });

  test("can be gone back to by force, as long as the store can be read", async () => {
    const store = new DatabaseSync(site.paths.database, { timeout: 5_000 });
    const schema = storeSchema(site.paths.database);
    store.exec("PRAGMA user_version = 99");
    const refused = await site.cli("up", "--yes", "--force");
    store.exec(`PRAGMA user_version = ${String(schema)}`);
    store.close();
    expect(refused).toMatchObject({ code: 6, stderr: expect.stringMatching(/schema 99[^]*older-version/) });
    const back = await site.cli("up", "--yes", "--force", "--json");
    expect(back).toMatchObject({ code: 0, stderr: "" });
    expect(answerOf(back).runtime).toBe(first);
    await site.until("all run the first", async () => {
      const now = answerOf(await site.cli("up", "--json"));
      return running(now).join() === first;
    });
  });
});
