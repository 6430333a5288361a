import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, it, vi } from "vitest";
import { awaitNoProcess } from "./demo/leftovers.ts";
import { bundle } from "./lib/bundle.ts";
import { ROOT } from "./lib/root.ts";

beforeAll(async () => {
  await bundle();
});

it("leaves no process and no folder behind when it is ended in the middle, and says so in its last line", async () => {
  const place = mkdtempSync(join(tmpdir(), "teal-demo-test-"));
  const demo = spawn(process.execPath, [`${ROOT}scripts/demo.ts`], {
    env: { ...process.env, TMPDIR: place },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  demo.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = new Promise((resolve) => demo.once("close", resolve));
  try {
    await vi.waitUntil(() => output.includes("deploy v2"), { timeout: 60_000 });
    await vi.waitUntil(() => output.includes("v2 "), { timeout: 30_000 });
    demo.kill("SIGINT");
    expect(await ended).toBe(1);
    expect(output).toContain("ended by SIGINT");
    expect(JSON.parse(output.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({ demo: "failed" });
    expect(readdirSync(place).filter((name) => name.startsWith("teal-demo-"))).toEqual([]);
  } finally {
    demo.kill("SIGKILL");
    expect(await awaitNoProcess(place, 0)).toEqual([]);
    rmSync(place, { recursive: true });
  }
});
