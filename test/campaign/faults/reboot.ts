import { draw } from "../seeded.ts";
import type { Fault } from "./fault.ts";
import { STEPS } from "./steps.ts";

/** Everything is gone at once, in the middle of a deployment; then somebody says `teal up`, as a boot does. */
export const reboot: Fault = {
  name: "reboot",
  underLoad: false,
  async inject(campaign, size) {
    for (const border of draw(STEPS, size === "short" ? 2 : 5, campaign.random)) {
      campaign.strikes.wish({ kind: "kill", target: "machine", border });
      const { id } = await campaign.deployTo(border, () => campaign.strikes.killAll(border));
      await campaign.site.start();
      await campaign.site.ended(id);
      await campaign.whole();
    }
  },
};
