import { draw } from "../seeded.ts";
import type { Fault } from "./fault.ts";
import { STEPS } from "./steps.ts";

/** Keeper and proxy are gone at once, in the middle of a deployment; the server is all that is left to start them again. */
export const doubleKill: Fault = {
  name: "double-kill",
  // For some seconds nobody listens.
  underLoad: false,
  async inject(campaign, size) {
    for (const border of draw(STEPS, size === "short" ? 2 : 5, campaign.random)) {
      for (const target of ["keeper", "proxy"] as const) campaign.strikes.wish({ kind: "kill", target, border });
      const { id } = await campaign.deployTo(border, () => campaign.strikes.killWatchers(border));
      await campaign.site.ended(id);
      await campaign.whole();
    }
  },
};
