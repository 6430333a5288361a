import { expect } from "vitest";
import { toTealError } from "../../../src/model/error.ts";
import type { Campaign } from "../campaign.ts";
import { draw } from "../seeded.ts";
import type { Fault } from "./fault.ts";
import { STEPS } from "./steps.ts";

/** A person aborts the moment that a step begins, each other time with the keeper killed just before. */
async function abortAt(campaign: Campaign, step: string, withKeeper: boolean): Promise<void> {
  const { site } = campaign;
  const { id, acted } = await campaign.deployTo(step, async () => {
    const { deployment } = await site.service();
    if (deployment === null) return false;
    if (!withKeeper) await campaign.kill("keeper", step);
    campaign.may(deployment.id, { state: "aborted", cause: "abort" });
    const problem = await site.client.abort(deployment.id, {}).then(
      () => null,
      (thrown: unknown) => toTealError(thrown).code,
    );
    // The last step may be over by then.
    if (problem === null) campaign.aborted(deployment.id);
    else expect(problem).toBe("deployment-ended");
    return true;
  });
  expect(acted).toBe(true);
  await site.ended(id);
  await campaign.whole();
}

/** The server stands still; the command line asks the proxy itself. */
async function abortDirectly(campaign: Campaign): Promise<void> {
  const { site } = campaign;
  const id = await campaign.deploy();
  await campaign.atStep(id, "shift-10");
  const { to } = await site.client.deployment(id);
  await site.until("it has traffic", () => Promise.resolve((campaign.weightsSeen()[to] ?? 0) > 0));
  await campaign.stop("server");
  const { code, stdout, stderr } = await site.cli("abort", "web", "--direct");
  expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
  campaign.may(id, { state: "aborted", cause: "abort" });
  campaign.aborted(id);
  campaign.goOn();
  expect(await site.ended(id)).toMatchObject({ state: "aborted" });
  await campaign.whole();
}

/** An abort at the beginning of any step, with or without a keeper, and one past a server that does not answer. */
export const abort: Fault = {
  name: "abort",
  underLoad: true,
  async inject(campaign, size) {
    const steps = draw(STEPS, size === "short" ? 4 : STEPS.length, campaign.random);
    for (const [index, step] of steps.entries()) await abortAt(campaign, step, index % 2 === 0);
    await campaign.configure({ deploy: { shift: [{ weight: 10, for: "60s" }] } });
    await abortDirectly(campaign);
    await campaign.configure({});
    expect(await campaign.deployed()).toMatchObject({ state: "completed" });
  },
};
