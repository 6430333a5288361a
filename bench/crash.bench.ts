import type { Evidence } from "../test/campaign/evidence.ts";
import { Campaign } from "../test/campaign/campaign.ts";
import { killAtBorders, killAtRandom } from "../test/campaign/faults/kill.ts";
import { pauseAtBorders } from "../test/campaign/faults/pause.ts";
import { breaches, losses } from "../test/campaign/invariants/index.ts";
import { seedOfThisRun } from "../test/campaign/seeded.ts";
import { benchOptions } from "./lib/options.ts";

/**
 * `kill -9` of keeper, server, proxy and one of two instances, at the border of every step and at random instants, one
 * after the other, under load; then each of them stands still for a while from the border of every step on. `lost`: requests beyond what the contract allows for each death. `TEAL_SEED` draws the same
 * targets and times again.
 */
const { quick } = benchOptions();
const seed = seedOfThisRun();
console.log(`seed ${String(seed)}`);

await using campaign = await Campaign.begin({ seed });
const began = performance.now();
const told = (what: string): void => {
  console.log(`${String(Math.round((performance.now() - began) / 1_000))} s: ${what}`);
};
await killAtBorders(campaign, { most: quick ? 7 : Number.POSITIVE_INFINITY, told });
await killAtRandom(campaign, { kills: quick ? 6 : 200, told });
await pauseAtBorders(campaign, { most: quick ? 3 : Number.POSITIVE_INFINITY, told });
const evidence: Evidence = await campaign.evidence();
const broken = breaches(evidence);
const lost = losses(evidence);
for (const line of [...broken, ...lost]) console.log(line);
const states = evidence.deployments.map(({ state }) => state);
const count = (state: string): number => states.filter((one) => one === state).length;
console.log(
  JSON.stringify({
    bench: "crash",
    kills: campaign.kills,
    invariantsBroken: broken.length,
    lost: lost.length,
    allowed: evidence.losses.length - lost.length,
    requests: campaign.load.ledger.summary().sent,
    deployments: { completed: count("completed"), takenBack: states.length - count("completed") },
    seed,
  }),
);
