import { expect, test } from "vitest";
import { Campaign } from "./campaign.ts";
import { FAULTS } from "./faults/index.ts";
import { breaches, losses } from "./invariants/index.ts";
import { seedOfThisRun } from "./seeded.ts";

const seed = seedOfThisRun();

test.for(FAULTS)(
  `$name: everything comes to its end, and no invariant breaks (TEAL_SEED=${String(seed)})`,
  async (fault, context) => {
    await fault.needs?.(context);
    await using campaign = await Campaign.begin({ seed, ...fault });
    await fault.inject(campaign);
    const evidence = await campaign.evidence();
    expect([...breaches(evidence), ...losses(evidence)]).toEqual([]);
  },
);
