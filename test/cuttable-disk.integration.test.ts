import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CuttableDisk } from "./cuttable-disk.ts";
import { requiresCuttableDisk } from "./requires.ts";

function sync(path: string): void {
  const file = openSync(path, "r");
  fsyncSync(file);
  closeSync(file);
}

/** Empty for a file that is not there. */
function contentOf(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

test("a power cut leaves what was synced, takes what was not, and ends who works there", async (context) => {
  await requiresCuttableDisk(context);
  const folder = mkdtempSync(join(tmpdir(), "teal-cut-"));
  const at = (name: string): string => join(folder, name);
  writeFileSync(at("from-before"), "on the disk at once");
  {
    await using disk = CuttableDisk.over(folder, ["beside"]);
    writeFileSync(at("replaced"), "the old one");
    for (const path of [at("replaced"), folder]) sync(path);

    writeFileSync(at("replaced.new"), "the new one");
    renameSync(at("replaced.new"), at("replaced"));
    writeFileSync(at("not-synced"), "lost");
    writeFileSync(at("beside/kept"), "on another disk");
    writeFileSync(at("synced"), "kept");
    for (const path of [at("synced"), folder]) sync(path);
    writeFileSync(at("later"), "lost with its name");
    const worker = spawn("sleep", ["600"], { cwd: folder });
    await once(worker, "spawn");
    const ended = once(worker, "exit");

    await disk.cutPower();
    expect(await ended).toEqual([null, "SIGKILL"]);
    expect(contentOf(at("from-before"))).toBe("on the disk at once");
    expect(contentOf(at("synced"))).toBe("kept");
    expect(contentOf(at("not-synced"))).toBe("");
    // Renamed over before its content was on the disk: what ext4 hides from programs unless it is told not to.
    expect(contentOf(at("replaced"))).toBe("");
    expect(existsSync(at("later"))).toBe(false);
    expect(contentOf(at("beside/kept"))).toBe("on another disk");

    writeFileSync(at("second"), "kept");
    for (const path of [at("second"), folder]) sync(path);
    await disk.cutPower();
    expect(contentOf(at("second"))).toBe("kept");
    expect(contentOf(at("synced"))).toBe("kept");
  }
  expect(statSync(folder).dev).toBe(statSync(tmpdir()).dev);
  rmSync(folder, { recursive: true });
});

test("what a test that is killed has mounted is unmounted, and what worked there ends", async (context) => {
  await requiresCuttableDisk(context);
  const folder = mkdtempSync(join(tmpdir(), "teal-cut-"));
  const program = `
    import { spawn } from "node:child_process";
    import { CuttableDisk } from ${JSON.stringify(join(import.meta.dirname, "cuttable-disk.ts"))};
    CuttableDisk.over(${JSON.stringify(folder)});
    const worker = spawn("sleep", ["600"], { cwd: ${JSON.stringify(folder)}, detached: true, stdio: "ignore" });
    process.stdout.write(String(worker.pid));
    setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [pid] = (await once(child.stdout, "data")) as [Buffer];
  expect(statSync(folder).dev).not.toBe(statSync(tmpdir()).dev);
  child.kill("SIGKILL");
  await expect.poll(() => statSync(folder).dev, { timeout: 20_000 }).toBe(statSync(tmpdir()).dev);
  await expect.poll(() => existsSync(`/proc/${pid.toString()}/cwd/`), { timeout: 20_000 }).toBe(false);
  rmSync(folder, { recursive: true });
});
