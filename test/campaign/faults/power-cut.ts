import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect } from "vitest";
import { freePort } from "../../../bench/lib/free-port.ts";
import { CuttableDisk } from "../../cuttable-disk.ts";
import { requiresCuttableDisk } from "../../requires.ts";
import type { Site } from "../../site.ts";
import type { Campaign } from "../campaign.ts";
import { draw } from "../seeded.ts";
import type { Fault } from "./fault.ts";
import { STEPS } from "./steps.ts";

interface Told {
  /** Takes a line on each cut. */
  readonly told?: (what: string) => void;
}

const disks = new WeakMap<Site, CuttableDisk>();

/** The project, state directory and all, on a disk whose power can be cut; what the apps' own ledgers say is not lost. */
export function onCuttableDisk(site: Site): void {
  const config = join(site.dir, "teal.yaml");
  // The load asks at one address for all starts of the machine.
  writeFileSync(config, readFileSync(config, "utf8").replace("127.0.0.1:0", `127.0.0.1:${String(freePort())}`));
  const disk = CuttableDisk.over(site.dir, [basename(site.ledgers)]);
  site.afterwards(() => disk[Symbol.asyncDispose]());
  site.runThrough(disk.boot);
  disks.set(site, disk);
}

/** The machine loses its power, and somebody says `teal up` on what is left. */
async function cut(campaign: Campaign, border: string | null): Promise<void> {
  const { site, served } = campaign;
  await campaign.outage(border, async () => {
    await disks.get(site)?.cutPower();
    campaign.forget(() => undefined);
    await site.start();
  });
  const confirmed = Math.max(0, ...served.seen.map(({ data }) => Number(data["generation"] ?? 0)));
  await site.until("the split that was confirmed, or a newer one, is live", () =>
    Promise.resolve(campaign.generationSeen() >= confirmed),
  );
}

/** At the border of each step, a deployment for each; `most` of the steps, drawn. */
export async function cutAtBorders(
  campaign: Campaign,
  { most, told }: Told & { readonly most: number },
): Promise<void> {
  for (const step of draw(STEPS, most, campaign.random)) {
    campaign.strikes.wish({ kind: "cut", target: "machine", border: step });
    const { id } = await campaign.deployTo(step, () => cut(campaign, step));
    const { state } = await campaign.site.ended(id);
    told?.(`power cut at ${step}: ${state}`);
    await campaign.whole();
  }
}

/** At instants that nothing but chance chooses, from before a deployment is accepted until after its end. */
export async function cutAtRandom(
  campaign: Campaign,
  { times, told }: Told & { readonly times: number },
): Promise<void> {
  for (let done = 0; done < times; done += 1) {
    const accepted = campaign.deploy();
    // It is waited for below, when it may have failed long since.
    accepted.catch(() => undefined);
    await campaign.pause(0, 4_000);
    await cut(campaign, null);
    const id = await accepted;
    const { state } = await campaign.site.ended(id);
    told?.(`power cut at random: ${state}`);
    await campaign.whole();
  }
}

/** Right after an abort was answered: that it was asked for is not lost. */
async function cutAfterAbort(campaign: Campaign): Promise<void> {
  const { site } = campaign;
  const id = await campaign.deploy();
  await campaign.atStep(id, "shift-10");
  campaign.may(id, { state: "aborted", cause: "abort" });
  await site.client.abort(id, {});
  await cut(campaign, null);
  expect(await site.ended(id)).toMatchObject({ state: "aborted" });
  await campaign.whole();
}

/** Only what was synced is left of the project's folder, and nothing runs, under load; then somebody says `teal up`. */
export const powerCut: Fault = {
  name: "power-cut",
  underLoad: true,
  needs: requiresCuttableDisk,
  prepare: onCuttableDisk,
  async inject(campaign, size) {
    await cutAtBorders(campaign, { most: size === "short" ? 1 : STEPS.length });
    await cutAtRandom(campaign, { times: size === "short" ? 2 : 10 });
    await cutAfterAbort(campaign);
    expect(await campaign.deployed()).toMatchObject({ state: "completed" });
  },
};
