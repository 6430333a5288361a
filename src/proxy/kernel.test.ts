import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { BoundSocket, connect, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { kernelRefused, listenCounts } from "./kernel.ts";

/** Listens on the descriptor 3 with hardly a queue, and accepts nothing. */
const STOPPED = 'require("node:net").createServer().listen({ fd: 3 }, 1, () => process.kill(process.pid, "SIGSTOP"))';

test("counts what the kernel dropped once, by name and not by column", () => {
  const text = "TcpExt: ListenDrops A ListenOverflows\nTcpExt: 7 100 4\nIpExt: X\nIpExt: 1\n";
  expect(listenCounts(() => text)).toEqual({ listenOverflows: 4, listenDrops: 7 });
  expect(kernelRefused(() => text)).toBe(7);
});

test("is 0 where the kernel does not say", () => {
  expect(kernelRefused(() => "")).toBe(0);
});

test.runIf(existsSync("/proc/net/netstat"))("each reading is of that moment", { timeout: 30_000 }, async () => {
  const before = listenCounts();
  // One that accepts nothing: of a queue of one, all but two are dropped.
  const bound = new BoundSocket({ host: "127.0.0.1", port: 0 });
  const { port } = bound.address();
  const stopped = spawn(process.execPath, ["-e", STOPPED], { stdio: ["ignore", "ignore", "inherit", bound.fd()] });
  const clients: Socket[] = [];
  onTestFinished(async () => {
    for (const client of clients) client.destroy();
    stopped.kill("SIGKILL");
    await once(stopped, "exit");
  });
  await expect
    .poll(
      () => {
        clients.push(connect({ host: "127.0.0.1", port }).on("error", () => undefined));
        return listenCounts().listenOverflows;
      },
      { timeout: 20_000 },
    )
    .toBeGreaterThan(before.listenOverflows);
  const whole = (): string => readFileSync("/proc/net/netstat", "latin1");
  await expect.poll(() => JSON.stringify(listenCounts()) === JSON.stringify(listenCounts(whole))).toBe(true);
});
