import { createServer } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { Ports } from "./ports.ts";

/** A random source that gives these ports. */
const random = (...ports: number[]) => {
  let next = 0;
  return () => ((ports[Math.min(next++, ports.length - 1)] ?? 0) - 20_000) / 10_000 + 1e-9;
};

test("no port is given twice while it is in use, nor one that somebody listens on", async () => {
  const base = 20_000 + Math.floor(Math.random() * 9_000);
  const stranger = createServer().listen(base + 1, "127.0.0.1");
  await once(stranger, "listening");
  try {
    const ports = new Ports(random(base, base, base + 1, base + 2, base));
    expect(ports.draw()).toBe(base);
    expect(ports.draw()).toBe(base + 2);
    ports.release(base);
    expect(ports.draw()).toBe(base);
  } finally {
    stranger.close();
  }
});

test("a claimed port is not drawn, and an endless search ends with an error", () => {
  const ports = new Ports(random(21_000));
  ports.claim(21_000);
  expect(() => ports.draw()).toThrow(expect.objectContaining({ code: "port-taken" }));
});
