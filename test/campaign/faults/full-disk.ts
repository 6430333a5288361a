import { mkdirSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import { requiresSmallDisk } from "../../requires.ts";
import type { Site } from "../../site.ts";
import { SmallDisk } from "../../small-disk.ts";
import type { Campaign } from "../campaign.ts";
import { draw } from "../seeded.ts";
import type { Fault } from "./fault.ts";
import { STEPS } from "./steps.ts";

/** Teal's own programs, three releases of the app, the database, the ballast (twice its size is free at the start). */
const SIZE_MIB = 64;
const disks = new WeakMap<Site, SmallDisk>();

/** The state directory on a disk that a test can fill. */
function onSmallDisk(site: Site): void {
  mkdirSync(site.paths.root, { mode: 0o700 });
  const disk = SmallDisk.mount(site.paths.root, SIZE_MIB);
  if (disk === null) throw new Error(`${site.paths.root} could not be mounted`);
  disks.set(site, disk);
  site.afterwards(() => {
    disk[Symbol.dispose]();
  });
}

async function fullFor(campaign: Campaign, during: () => Promise<void>): Promise<void> {
  cutLog(campaign.site.paths.database);
  await disks.get(campaign.site)?.fullDuring(during);
}

/** A log that had once been longer would take the next transitions without any more room. */
function cutLog(file: string): void {
  const database = new DatabaseSync(file, { timeout: 5_000 });
  try {
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    database.close();
  }
}

/** Full from the border of each step on for less than Teal's patience, a deployment for each; `most` of the steps, drawn. */
async function fillAtBorders(campaign: Campaign, { most }: { readonly most: number }): Promise<void> {
  for (const step of draw(STEPS, most, campaign.random)) {
    const { id } = await campaign.deployTo(step, () => fullFor(campaign, () => campaign.pause(300, 4_000)));
    await campaign.site.ended(id);
    await campaign.whole();
  }
}

/** Full at instants that nothing but chance chooses. */
async function fillAtRandom(campaign: Campaign, { times }: { readonly times: number }): Promise<void> {
  for (let done = 0; done < times; done += 1) {
    const id = await campaign.deploy();
    await campaign.pause(0, 3_000);
    await fullFor(campaign, () => campaign.pause(300, 3_000));
    await campaign.site.ended(id);
    await campaign.whole();
  }
}

/** The disk that everything of Teal writes to is full for a while, and then for longer than a deployment waits for it. */
export const fullDisk: Fault = {
  name: "full-disk",
  underLoad: true,
  needs: requiresSmallDisk,
  prepare: onSmallDisk,
  async inject(campaign, size) {
    await fillAtBorders(campaign, { most: size === "short" ? 2 : STEPS.length });
    await fillAtRandom(campaign, { times: size === "short" ? 1 : 4 });
    await campaign.configure({ deploy: { shift: [{ weight: 50, for: "1s" }] } });
    const id = await campaign.deploy();
    await campaign.atStep(id, "shift-50");
    const { to } = await campaign.site.client.deployment(id);
    await campaign.site.until("50 %", () => Promise.resolve(campaign.weightsSeen()[to] === 50));
    await fullFor(campaign, () =>
      campaign.site
        .until("the traffic is back", () => Promise.resolve(campaign.weightsSeen()[to] === 0))
        .then(() => campaign.pause(500, 1_500)),
    );
    campaign.may(id, { state: "rolled-back", cause: "store-failed" });
    expect(await campaign.site.ended(id)).toMatchObject({ state: "rolled-back", cause: { code: "store-failed" } });
    await campaign.configure({});
    expect(await campaign.deployed()).toMatchObject({ state: "completed" });
  },
};
