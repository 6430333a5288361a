import { closeSync, openSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { StatePaths } from "../wire/paths.ts";
import { readStat } from "../wire/process-stat.ts";
import { proxySettings } from "../wire/shapes.ts";
import { Acquaintances } from "./acquaintances.ts";
import { watchHungProxy } from "./hung-proxy.ts";
import { ownProgram } from "./program.ts";

test("a socket that was closed in between ends the watch with a line in the log, and nothing else", async () => {
  const fd = openSync("/dev/null", "r");
  let elapsed = 0;
  const lines: string[] = [];
  const parts = {
    launch: { root: "/none", runtime: "/none", config: "", inherited: [] },
    paths: new StatePaths("/none"),
    clock: {
      now: () => elapsed,
      monotonic: () => elapsed,
      sleep: async (ms: number) => {
        await turn();
        elapsed += ms;
      },
    },
    random: Math.random,
    log: (line: string) => void lines.push(line),
    acquaintances: new Acquaintances(),
  };
  const { pid, startTicks } = readStat(process.pid) ?? { pid: 0, startTicks: 0 };
  const proxy = {
    process: { pid, startTicks, exited: new Promise<never>(() => undefined) },
    socket: "",
    startedAt: 0,
    listen: [],
    settings: proxySettings.parse({}),
    program: ownProgram(parts),
    draining: false,
  };
  closeSync(fd);
  const sockets = () => [{ listen: "", address: "", fd, close: () => undefined }];
  await watchHungProxy(proxy, parts, sockets, new AbortController().signal);
  expect(lines).toEqual([expect.stringMatching(/^the proxy \(pid \d+\) is not watched any more: .*EBADF/)]);
});
