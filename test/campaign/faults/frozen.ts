import { expect } from "vitest";
import type { Fault } from "./fault.ts";

/**
 * The old environment stands still as a whole when the new release is to be taken back: going back would be worse. The
 * traffic stays until the old one is healthy again, and goes back by itself then.
 */
export const frozen: Fault = {
  name: "frozen",
  // What went to the old environment before it was found out is late.
  underLoad: false,
  service: { deploy: { shift: [{ weight: 50, for: "60s" }] } },
  async inject(campaign) {
    const { site } = campaign;
    const id = await campaign.deploy();
    await campaign.atStep(id, "shift-50");
    const { from, to } = await site.client.deployment(id);
    if (from === null) throw new Error(`${id} has nothing to go back to`);
    await site.until("50 %", () => Promise.resolve(campaign.weightsSeen()[to] === 50));
    await campaign.strikes.stopInstances(from);
    await site.until(`nobody of ${from} is healthy`, async () => {
      const { environments } = await site.service();
      return environments.every(({ name, instances }) => name !== from || instances.every(({ healthy }) => !healthy));
    });
    const since = Date.now();
    campaign.may(id, { state: "aborted", cause: "abort" });
    const aborting = site.client.abort(id, {});
    await site.until("it is frozen", async () => (await site.client.deployment(id)).state === "frozen");
    await aborting;
    await campaign.pause(500, 1_500);
    campaign.sick.push({ environment: from, since, until: Date.now() });
    campaign.goOn();
    expect(await site.ended(id)).toMatchObject({ state: "aborted" });
    expect(campaign.weightsSeen()[from]).toBe(100);
    await campaign.configure({});
    expect(await campaign.deployed()).toMatchObject({ state: "completed" });
  },
};
