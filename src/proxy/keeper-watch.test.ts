import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { EMPTY_STATUS, standInKeeper } from "../../test/stand-in-keeper.ts";
import { PeerServer } from "../wire/connect.ts";
import { KEEPER_PROTOCOL } from "../wire/keeper.ts";
import { StatePaths } from "../wire/paths.ts";
import { proxySettings } from "../wire/shapes.ts";
import { KeeperWatch } from "./keeper-watch.ts";

/** Time that each sleep moves on by itself. */
function leapingClock(): ConstructorParameters<typeof KeeperWatch>[0]["clock"] {
  let elapsed = 0;
  return {
    now: () => elapsed,
    monotonic: () => elapsed,
    sleep: async (ms, signal) => {
      await turn();
      signal?.throwIfAborted();
      elapsed += ms;
    },
  };
}

test("a keeper that hangs and may not be ended, as another user's, is told of, and the proxy goes on", async () => {
  const root = mkdtempSync(join(tmpdir(), "teal-watch-"));
  const keeper = spawn("sleep", ["600"], { stdio: "ignore" });
  await once(keeper, "spawn");
  const pid = keeper.pid ?? 0;
  const handlers = standInKeeper({
    status: () => ({ ...EMPTY_STATUS, pid }),
    ping: () => new Promise(() => undefined),
  });
  const peers = await PeerServer.listen(new StatePaths(root).keeperSocket, KEEPER_PROTOCOL, handlers);
  // The kernel's answer for a process of another user: kill(2).
  const kill = vi.spyOn(process, "kill").mockImplementation(() => {
    throw Object.assign(new Error("kill EPERM"), { code: "EPERM" });
  });
  const lines: string[] = [];
  const over = new AbortController();
  const launch = { root, runtime: root, config: "", workers: 1, listeners: [], settings: proxySettings.parse({}) };
  const log = (line: string): void => void lines.push(line);
  const watch = new KeeperWatch({ launch, program: join(root, "keeper.ts"), clock: leapingClock(), log });
  const running = watch.run(over.signal);
  try {
    await expect.poll(() => lines, { timeout: 9_000 }).toHaveLength(2);
    expect(lines[0]).toContain(`the keeper (process ${String(pid)}) has not answered for 20 s`);
    expect(lines[1]).toBe(`the keeper (process ${String(pid)}) cannot be ended: kill EPERM`);
    expect(kill).toHaveBeenCalledWith(pid, "SIGKILL");
  } finally {
    over.abort();
    await running;
    kill.mockRestore();
    await peers.close();
    const ended = once(keeper, "exit");
    keeper.kill("SIGKILL");
    await ended;
    rmSync(root, { recursive: true });
  }
});
