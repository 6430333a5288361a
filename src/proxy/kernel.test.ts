import { expect, test } from "vitest";
import { kernelRefused, listenCounts } from "./kernel.ts";

test("adds what the kernel dropped, by name and not by column", () => {
  const text = "TcpExt: ListenDrops A ListenOverflows\nTcpExt: 7 100 4\nIpExt: X\nIpExt: 1\n";
  expect(listenCounts(() => text)).toEqual({ listenOverflows: 4, listenDrops: 7 });
  expect(kernelRefused(() => text)).toBe(11);
});

test("is 0 where the kernel does not say", () => {
  expect(kernelRefused(() => "")).toBe(0);
});
