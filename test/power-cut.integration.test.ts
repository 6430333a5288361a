import { expect, test } from "vitest";
import { systemClock } from "../src/main/clock.ts";
import { seeded, seedOfThisRun } from "./campaign/seeded.ts";
import { CuttableDisk } from "./cuttable-disk.ts";
import { requiresCuttableDisk } from "./requires.ts";
import { Site } from "./site.ts";

const seed = seedOfThisRun();
const CUTS = Number(process.env["TEAL_POWER_CUTS"] ?? 2);
/** What `teal up` and a first deployment take, roughly. */
const UP_MS = 1_200;
const DEPLOY_MS = 2_500;

test(
  `the power may be cut in the first teal up and in the first deployment: teal up goes on (TEAL_SEED=${String(seed)})`,
  { timeout: 60_000 + CUTS * 30_000 },
  async (context) => {
    await requiresCuttableDisk(context);
    const random = seeded(seed);
    for (let cut = 0; cut < CUTS; cut += 1) {
      await using site = await Site.create({ deploy: { shift: [], bake: "100ms" } });
      const disk = CuttableDisk.over(site.dir, ["ledgers"]);
      site.afterwards(() => disk[Symbol.asyncDispose]());
      site.runThrough(disk.boot);

      const starting = site.cli("up", "--detach");
      await systemClock.sleep(Math.floor(random() * UP_MS));
      await disk.cutPower();
      await starting;
      await site.start();

      const accepted = await site.deploy("v1");
      await systemClock.sleep(Math.floor(random() * DEPLOY_MS));
      await disk.cutPower();
      await site.start();
      expect(await site.ended(accepted)).toMatchObject({ state: "completed" });
      expect((await fetch(site.url)).headers.get("x-version")).toBe("v1");
      expect(await site.deployed("v2")).toMatchObject({ state: "completed" });
    }
  },
);
