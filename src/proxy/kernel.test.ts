import { expect, test } from "vitest";
import { kernelRefused, listenCounts } from "./kernel.ts";

test("counts what the kernel dropped once, by name and not by column", () => {
  const text = "TcpExt: ListenDrops A ListenOverflows\nTcpExt: 7 100 4\nIpExt: X\nIpExt: 1\n";
  expect(listenCounts(() => text)).toEqual({ listenOverflows: 4, listenDrops: 7 });
  expect(kernelRefused(() => text)).toBe(7);
});

test("is 0 where the kernel does not say", () => {
  expect(kernelRefused(() => "")).toBe(0);
});
