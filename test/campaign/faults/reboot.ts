import { pick } from "../seeded.ts";
import type { Fault } from "./fault.ts";
import { STEPS } from "./steps.ts";

/** Everything is gone at once, in the middle of a deployment; then somebody says `teal up`, as a boot does. */
export const reboot: Fault = {
  name: "reboot",
  underLoad: false,
  async inject(campaign) {
    for (let times = 0; times < 3; times += 1) {
      const id = await campaign.deploy();
      await campaign.atStep(id, pick(STEPS, campaign.random));
      await campaign.killAll();
      await campaign.site.start();
      await campaign.site.ended(id);
      await campaign.whole();
    }
  },
};
