import type { Campaign } from "../campaign.ts";
import { STEPS } from "./steps.ts";
import type { Fault } from "./fault.ts";
import { draw } from "../seeded.ts";
import { type Target, TARGETS } from "../target.ts";

interface Told {
  /** Takes a line on each kill. */
  readonly told?: (what: string) => void;
}

/** Each target once at the border of each step, a deployment for each; `most` of these pairs, drawn. */
export async function killAtBorders(
  campaign: Campaign,
  { most, told }: Told & { readonly most: number },
): Promise<void> {
  const pairs = STEPS.flatMap((step) => TARGETS.map((target): [string, Target] => [step, target]));
  for (const [step, target] of draw(pairs, most, campaign.random)) {
    const id = await campaign.deploy();
    const came = await campaign.atStep(id, step);
    const isDead = came && (await campaign.kill(target));
    const { state } = await campaign.site.ended(id);
    told?.(`${target} ${isDead ? "killed" : "not there"} at ${step}: ${state}`);
    await campaign.whole();
  }
}

/** One target after the other at instants that nothing but chance chooses, while one version after the other is deployed. */
export async function killAtRandom(
  campaign: Campaign,
  { kills, told }: Told & { readonly kills: number },
): Promise<void> {
  const enough = new AbortController();
  const deploying = deployOn(campaign, enough.signal);
  try {
    for (let done = 0; done < kills;) {
      await campaign.pause(20, 900);
      const target = campaign.target(TARGETS);
      if (!(await campaign.kill(target))) continue;
      done += 1;
      told?.(`${target} killed (${String(done)})`);
      await campaign.whole();
    }
  } finally {
    enough.abort();
    await deploying;
  }
}

async function deployOn(campaign: Campaign, enough: AbortSignal): Promise<void> {
  while (!enough.aborted) await campaign.deployed();
}

export const kill: Fault = {
  name: "kill",
  underLoad: true,
  async inject(campaign) {
    await killAtBorders(campaign, { most: 8 });
    await killAtRandom(campaign, { kills: 8 });
  },
};
