import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import type { Fault } from "./fault.ts";

/**
 * The disk stands still: another program holds the database's write lock, so that the store's thread waits in its next
 * write as it would for a disk. The API goes on answering, and an abort takes the traffic back before the disk goes on.
 */
export const slowDisk: Fault = {
  name: "slow-disk",
  underLoad: true,
  service: { deploy: { shift: [{ weight: 50, for: "60s" }] } },
  async inject(campaign) {
    const { site } = campaign;
    const id = await campaign.deploy();
    await site.until("50 %", () => Promise.resolve(campaign.weightsSeen()["green"] === 50));
    await site.until("it is on record", async () => (await site.service()).traffic["green"] === 50);
    const database = new DatabaseSync(site.paths.database, { timeout: 5_000 });
    let aborting: Promise<unknown> = Promise.resolve();
    try {
      database.exec("BEGIN IMMEDIATE");
      aborting = site.client.abort(id, {});
      aborting.catch(() => undefined);
      await site.until("the traffic is back", () => Promise.resolve(campaign.weightsSeen()["blue"] === 100), 4_000);
      await site.client.health({ timeoutMs: 2_000 });
    } finally {
      database.exec("ROLLBACK");
      database.close();
    }
    await aborting;
    campaign.may(id, { state: "aborted", cause: "abort" });
    expect((await site.ended(id)).state).toBe("aborted");
  },
};
