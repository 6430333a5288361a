import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import type { Campaign } from "../campaign.ts";
import type { Fault } from "./fault.ts";

/**
 * The database is replaced by an older copy while keeper, proxy and instances live on: what it says of releases, split and
 * fence is no longer so. What serves stays, the fence goes on above all that the proxy has seen, and a deploy works.
 */
export const restored: Fault = {
  name: "restored",
  underLoad: true,
  async inject(campaign) {
    const { site } = campaign;
    const copy = join(site.dir, "older.db");
    copyDatabase(site.paths.database, copy);
    const atCopy = campaign.mark();
    await campaign.deployed();
    const serving = await campaign.deployed();
    const reverted = await campaign.deploy();
    await campaign.atStep(reverted, "shift-50");
    campaign.may(reverted, { state: "aborted", cause: "abort" });
    await site.client.abort(reverted, {});
    await site.ended(reverted);
    const { fence } = await site.service();

    await putBack(campaign, copy, atCopy);
    const status = await site.until("it has claimed the service", async () => {
      const seen = await site.service();
      return seen.fence > fence ? seen : null;
    });
    expect(status.traffic[serving.to]).toBe(100);
    expect(status.environments.find(({ name }) => name === serving.to)?.version).toBe(serving.version);
    expect(await campaign.answering()).toEqual([serving.version]);
    expect(await campaign.deployed()).toMatchObject({ state: "completed", from: serving.to });
  },
};

/**
 * The copy is one from the middle of a deployment, and that has ended since; another one serves. Nothing of the old one is
 * set over it: it holds for a person, who ends it.
 */
export const restoredMidway: Fault = {
  name: "restored-midway",
  underLoad: true,
  service: { deploy: { shift: [{ weight: 50, for: "2s" }], bake: "300ms" } },
  async inject(campaign) {
    const { site } = campaign;
    const copy = join(site.dir, "older.db");
    const id = await campaign.deploy();
    await campaign.atStep(id, "shift-50");
    await site.until("50 % is on record", async () => (await site.service()).desired["green"] === 50);
    copyDatabase(site.paths.database, copy);
    await site.ended(id);
    const atCopy = campaign.mark();
    const serving = await campaign.deployed();
    await putBack(campaign, copy, atCopy);

    await site.until("it holds", async () => (await site.service()).deployment?.hold?.kind === "drift");
    expect((await site.service()).traffic[serving.to]).toBe(100);
    expect(await campaign.answering()).toEqual([serving.version]);
    campaign.may(id, { state: "aborted", cause: "abort" });
    await site.client.abort(id, {});
    expect(await site.ended(id)).toMatchObject({ state: "aborted" });
    expect(await campaign.answering()).toEqual([serving.version]);
    expect(await campaign.deployed()).toMatchObject({ state: "completed", from: serving.to });
  },
};

/** The copy takes the database's place, and the server is started again on it. */
async function putBack(campaign: Campaign, copy: string, atCopy: number): Promise<void> {
  const { site } = campaign;
  const { server } = await site.pids();
  for (const end of ["-wal", "-shm"]) rmSync(`${site.paths.database}${end}`, { force: true });
  renameSync(copy, site.paths.database);
  process.kill(server ?? 0, "SIGKILL");
  campaign.unrecord(atCopy);
  await site.until("another server answers", async () => {
    const now = await site.pids();
    return now.server !== server && (await site.service()).fence > 0;
  });
}

/** Whole as of one moment, also while a server writes. */
function copyDatabase(from: string, to: string): void {
  const database = new DatabaseSync(from, { timeout: 5_000 });
  try {
    database.prepare("VACUUM INTO ?").run(to);
  } finally {
    database.close();
  }
}
