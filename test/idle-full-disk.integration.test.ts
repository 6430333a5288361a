import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../src/main/clock.ts";
import { requiresSmallDisk } from "./requires.ts";
import { Site } from "./site.ts";
import { SmallDisk } from "./small-disk.ts";

/** Teal's own programs, releases of the app, the database, and its ballast. */
const SIZE_MIB = 64;

/** Says something all the time. */
const APP = `import { createServer } from "node:http";
const { PORT, HOST, TEAL_VERSION } = process.env;
createServer((_, response) => response.end(TEAL_VERSION)).listen(Number(PORT), HOST);
let said = 0;
setInterval(() => console.log("line " + String((said += 1)) + " " + "x".repeat(200)), 2);
process.on("SIGTERM", () => process.exit(0));
`;

/** A deployment waits for 30 s for a disk to take its next record. */
const LONGER_THAN_PATIENCE_MS = 45_000;

async function appLogs(site: Site): Promise<string> {
  const folder = join(site.paths.logs, "web");
  const names = await readdir(folder, { recursive: true });
  const files = names.filter((name) => name.includes(".log"));
  return (await Promise.all(files.map((name) => readFile(join(folder, name), "utf8")))).join("");
}

test("a full disk without a deployment: traffic goes on, lines of apps are dropped and counted, a deploy fails; with room all is well", async (context) => {
  requiresSmallDisk(context);
  await using site = await Site.create({ environment: { command: "node talker.js" } });
  await writeFile(join(site.dir, "app", "talker.js"), APP);
  await mkdir(site.paths.root, { mode: 0o700 });
  const disk = SmallDisk.mount(site.paths.root, SIZE_MIB);
  if (disk === null) throw new Error(`${site.paths.root} could not be mounted`);
  site.afterwards(() => {
    disk[Symbol.dispose]();
  });
  await site.start();
  expect((await site.deployed("v1")).state).toBe("completed");
  const apps = await site.appPids();

  const deploying = await disk.fullDuring(async () => {
    const result = site.cli("deploy", "--version", "v2", "--yes");
    const over = new AbortController();
    void Promise.race([result, systemClock.sleep(LONGER_THAN_PATIENCE_MS)]).then(() => {
      over.abort();
    });
    while (!over.signal.aborted) {
      const response = await fetch(site.url);
      expect([response.status, await response.text()]).toEqual([200, "v1"]);
      await systemClock.sleep(100);
    }
    return { result };
  });
  // Refused, or accepted in the last room that there was, and then taken back.
  const { code, stdout, stderr } = await deploying.result;
  expect([code, stdout + stderr]).toEqual([1, expect.stringContaining("store-failed")]);

  await site.until("what was dropped is counted", async () =>
    /\[teal\] \d+ lines? (was|were) dropped: .*no space left/.test(await appLogs(site)),
  );
  expect(await site.appPids()).toEqual(apps);
  expect(await site.service()).toMatchObject({ active: "blue", traffic: { blue: 100 }, deployment: null });
  expect((await site.deployed("v2")).state).toBe("completed");
});
