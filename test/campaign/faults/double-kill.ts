import { pick } from "../seeded.ts";
import type { Fault } from "./fault.ts";
import { STEPS } from "./steps.ts";

/** Keeper and proxy are gone at once, in the middle of a deployment; the server is all that is left to start them again. */
export const doubleKill: Fault = {
  name: "double-kill",
  // For some seconds nobody listens.
  underLoad: false,
  async inject(campaign) {
    for (let times = 0; times < 2; times += 1) {
      const id = await campaign.deploy();
      await campaign.atStep(id, pick(STEPS, campaign.random));
      await campaign.killWatchers();
      await campaign.site.ended(id);
      await campaign.whole();
    }
  },
};
