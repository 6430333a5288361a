import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
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
    await site.client.abort(reverted, {});
    await site.ended(reverted);
    const { fence } = await site.service();

    const { server } = await site.pids();
    for (const end of ["-wal", "-shm"]) rmSync(`${site.paths.database}${end}`, { force: true });
    renameSync(copy, site.paths.database);
    process.kill(server ?? 0, "SIGKILL");
    campaign.unrecord(atCopy);

    const status = await site.until("another server has claimed it", async () => {
      const now = await site.pids();
      const seen = now.server === server ? null : await site.service();
      return seen !== null && seen.fence > fence ? seen : null;
    });
    expect(status.traffic[serving.to]).toBe(100);
    expect(status.environments.find(({ name }) => name === serving.to)?.version).toBe(serving.version);
    expect(await campaign.answering()).toEqual([serving.version]);
    expect(await campaign.deployed()).toMatchObject({ state: "completed", from: serving.to });
  },
};

/** Whole as of one moment, also while a server writes. */
function copyDatabase(from: string, to: string): void {
  const database = new DatabaseSync(from, { timeout: 5_000 });
  try {
    database.prepare("VACUUM INTO ?").run(to);
  } finally {
    database.close();
  }
}
