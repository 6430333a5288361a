import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import type { Campaign } from "../campaign.ts";
import type { Fault } from "./fault.ts";

/** One that examples/web-node answers every fifth request of with an error. */
const BAD = "v3";

/** Another program holds the database's write lock, so that the store's thread waits in its next write as it would for a disk. */
async function whileDiskStands(campaign: Campaign, act: () => Promise<void>): Promise<void> {
  const database = new DatabaseSync(campaign.site.paths.database, { timeout: 5_000 });
  try {
    database.exec("BEGIN IMMEDIATE");
    await act();
    await campaign.site.client.health({ timeoutMs: 2_000 });
  } finally {
    database.exec("ROLLBACK");
    database.close();
  }
}

/** A deployment whose release has half of the traffic; also on record, so that nothing is being written any more. */
async function atHalf(campaign: Campaign, version?: string): Promise<{ readonly id: string; readonly to: string }> {
  const { site } = campaign;
  const id = await campaign.deploy(version === undefined ? {} : { version });
  const { to } = await site.until(`${id} can be told`, () => site.client.deployment(id));
  await site.until("50 %", () => Promise.resolve(campaign.weightsSeen()[to] === 50));
  await site.until("it is on record", async () => (await site.service()).desired[to] === 50);
  return { id, to };
}

function back(campaign: Campaign, to: string, withinMs: number): Promise<boolean> {
  const isBack = () => Promise.resolve((campaign.weightsSeen()[to] ?? 0) === 0);
  return campaign.site.until("the traffic is back", isBack, withinMs);
}

async function abortMeanwhile(campaign: Campaign): Promise<void> {
  const { site } = campaign;
  const { id, to } = await atHalf(campaign);
  campaign.may(id, { state: "aborted", cause: "abort" });
  let aborting: Promise<unknown> = Promise.resolve();
  await whileDiskStands(campaign, async () => {
    aborting = site.client.abort(id, {});
    aborting.catch(() => undefined);
    await back(campaign, to, 4_000);
  });
  await aborting;
  expect((await site.ended(id)).state).toBe("aborted");
}

/** Nobody asks: errors convict the release, and nothing can be written down of that. */
async function convictMeanwhile(campaign: Campaign): Promise<void> {
  const { site } = campaign;
  const { id, to } = await atHalf(campaign, BAD);
  campaign.may(id, { state: "rolled-back", cause: "guardrail-breached" });
  await whileDiskStands(campaign, async () => {
    expect(campaign.weightsSeen()[to]).toBe(50);
    // Sooner than a deployment loses its patience with a store.
    await back(campaign, to, 25_000);
    expect((await site.client.deployment(id)).state).toBe("running");
  });
  expect(await site.ended(id)).toMatchObject({ state: "rolled-back", cause: { code: "guardrail-breached" } });
}

/** The disk stands still. The API goes on answering, and an abort and a guardrail take the traffic back before it goes on. */
export const slowDisk: Fault = {
  name: "slow-disk",
  underLoad: true,
  service: { deploy: { shift: [{ weight: 50, for: "60s" }] } },
  async inject(campaign, size) {
    for (let times = 0; times < (size === "short" ? 1 : 3); times += 1) await abortMeanwhile(campaign);
    await convictMeanwhile(campaign);
  },
};
