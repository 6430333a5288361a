import { expect, test } from "vitest";
import { Campaign } from "./campaign.ts";
import type { Fault } from "./faults/fault.ts";
import { breaches, losses } from "./invariants/index.ts";
import { seedOfThisRun } from "./seeded.ts";

/** A test for each of them; two files of these run side by side. */
export function campaignTests(faults: readonly Fault[]): void {
  const seed = seedOfThisRun();
  test.for(faults)(
    `$name: everything comes to its end, and no invariant breaks (TEAL_SEED=${String(seed)})`,
    async (fault, context) => {
      await fault.needs?.(context);
      await using campaign = await Campaign.begin({ seed, ...fault });
      await fault.inject(campaign, "short");
      const evidence = await campaign.evidence();
      expect([...breaches(evidence), ...losses(evidence)]).toEqual([]);
    },
  );
}
