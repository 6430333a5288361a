import type { Campaign } from "../campaign.ts";
import { atBorders, atRandom, type Told } from "./borders.ts";
import type { Fault } from "./fault.ts";

export function killAtBorders(campaign: Campaign, options: Told & { readonly most: number }): Promise<void> {
  return atBorders(campaign, { ...options, kind: "kill", act: (target, step) => campaign.kill(target, step) });
}

export function killAtRandom(campaign: Campaign, options: Told & { readonly times: number }): Promise<void> {
  return atRandom(campaign, { ...options, kind: "kill", act: (target) => campaign.kill(target) });
}

export const kill: Fault = {
  name: "kill",
  underLoad: true,
  async inject(campaign) {
    await killAtBorders(campaign, { most: 7 });
    await killAtRandom(campaign, { times: 6 });
  },
};
