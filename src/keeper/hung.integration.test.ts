import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KeeperHarness, PATIENCE } from "../../test/keeper-harness.ts";
import { isAlive } from "../wire/process-stat.ts";

const source = (path: string): string => JSON.stringify(fileURLToPath(new URL(`../${path}`, import.meta.url)));

/** Presents itself to the keeper, and loops without end from SIGUSR1 on. */
const LOOPS = `
import { writeFileSync } from "node:fs";
import { connectPeer } from ${source("wire/connect.ts")};
import { KEEPER_PROTOCOL } from ${source("wire/keeper.ts")};
import { StatePaths } from ${source("wire/paths.ts")};
const stateRoot = JSON.parse(process.argv[2]).root;
process.on("SIGUSR1", () => { for (;;); });
const keeper = await connectPeer(new StatePaths(stateRoot).keeperSocket, KEEPER_PROTOCOL, {
  down: "keeper-down", prepare: (peer) => peer.onCall("ping", () => ({})),
});
await keeper.call("present", { pid: process.pid });
writeFileSync(stateRoot + "/presented-" + process.pid, "");
`;

let harness: KeeperHarness;
beforeEach(() => {
  harness = new KeeperHarness();
  for (const name of ["server.mjs", "proxy.mjs"]) {
    const file = join(harness.folder, "runtime", name);
    writeFileSync(file, LOOPS + readFileSync(file, "utf8").replaceAll(/^import \{ StatePaths \}.*$/gm, ""));
  }
});
afterEach(() => harness.close());

test("a server that loops without end is replaced; a proxy that does is told of, and goes on", async () => {
  await harness.start();
  const { proxies } = await harness.keeper.call("listeners.ensure", { listen: ["127.0.0.1:0"] }, { timeoutMs: 20_000 });
  const proxy = proxies[0]?.pid ?? 0;
  const server = (await harness.keeper.call("status", {})).server.pid ?? 0;
  for (const pid of [proxy, server]) {
    await expect.poll(() => existsSync(join(harness.paths.root, `presented-${String(pid)}`)), PATIENCE).toBe(true);
    process.kill(pid, "SIGUSR1");
  }
  const log = (): string => readFileSync(join(harness.paths.logs, "keeper.log"), "utf8");
  await expect.poll(log, PATIENCE).toContain(`the proxy (pid ${String(proxy)}) has not answered for 10 s`);
  expect(log()).toContain("it serves on as split, but can neither switch nor revert");
  await expect
    .poll(async () => (await harness.keeper.call("status", {})).server, PATIENCE)
    .toMatchObject({
      pid: expect.not.toSatisfy((pid: number) => pid === server),
      hangs: 1,
      afterHung: server,
    });
  expect(log()).toContain(`the server (pid ${String(server)}) has not answered for 10 s: it is busy without end`);
  expect(isAlive(proxy)).toBe(true);
  process.kill(proxy, "SIGKILL");
});
