import type { Evidence } from "../test/campaign/evidence.ts";
import { Campaign } from "../test/campaign/campaign.ts";
import { killAtBorders, killAtRandom } from "../test/campaign/faults/kill.ts";
import { cutAtBorders, cutAtRandom, onCuttableDisk } from "../test/campaign/faults/power-cut.ts";
import { pauseAtBorders } from "../test/campaign/faults/pause.ts";
import { breaches, losses } from "../test/campaign/invariants/index.ts";
import { seedOfThisRun } from "../test/campaign/seeded.ts";
import { whyNoCuttableDisk } from "../test/requires.ts";
import { benchOptions } from "./lib/options.ts";

/**
 * `kill -9` of keeper, server, proxy and one of two instances, at the border of every step and at random instants, one
 * after the other, under load; then each of them stands still for a while from the border of every step on. Then, on a site
 * of its own, where this user may mount one: the power is cut at the same borders and at random instants. `lost`: requests
 * beyond what the contract allows for each death. `TEAL_SEED` draws the same targets and times again.
 */
const { quick } = benchOptions();
const seed = seedOfThisRun();
console.log(`seed ${String(seed)}`);

const began = performance.now();
const told = (what: string): void => {
  console.log(`${String(Math.round((performance.now() - began) / 1_000))} s: ${what}`);
};

async function kills(): Promise<Judged> {
  await using campaign = await Campaign.begin({ seed });
  await killAtBorders(campaign, { most: quick ? 7 : Number.POSITIVE_INFINITY, told });
  await killAtRandom(campaign, { kills: quick ? 6 : 200, told });
  await pauseAtBorders(campaign, { most: quick ? 3 : Number.POSITIVE_INFINITY, told });
  return await judged(campaign);
}

/** Null where there is no disk for it. */
async function powerCuts(): Promise<Judged | null> {
  const lacking = await whyNoCuttableDisk();
  if (lacking !== null) {
    console.log(`no power cuts: ${lacking}`);
    return null;
  }
  await using campaign = await Campaign.begin({ seed, prepare: onCuttableDisk });
  await cutAtBorders(campaign, { most: quick ? 1 : Number.POSITIVE_INFINITY, told });
  await cutAtRandom(campaign, { times: quick ? 1 : 20, told });
  return await judged(campaign);
}

interface Judged {
  readonly evidence: Evidence;
  readonly broken: readonly string[];
  readonly lost: readonly string[];
  readonly kills: number;
  readonly requests: number;
}

async function judged(campaign: Campaign): Promise<Judged> {
  const evidence = await campaign.evidence();
  const [broken, lost] = [breaches(evidence), losses(evidence)];
  for (const line of [...broken, ...lost]) console.log(line);
  return { evidence, broken, lost, kills: campaign.kills, requests: campaign.load.ledger.summary().sent };
}

const all = [await kills(), await powerCuts()].filter((one) => one !== null);
const sum = (of: (one: Judged) => number): number => all.reduce((whole, one) => whole + of(one), 0);
const states = all.flatMap(({ evidence }) => evidence.deployments.map(({ state }) => state));
const completed = states.filter((state) => state === "completed").length;
console.log(
  JSON.stringify({
    bench: "crash",
    kills: sum((one) => one.kills),
    powerCuts: sum(({ evidence }) => evidence.outages.length),
    invariantsBroken: sum(({ broken }) => broken.length),
    lost: sum(({ lost }) => lost.length),
    allowed: sum(({ evidence, lost }) => evidence.losses.length - lost.length),
    requests: sum(({ requests }) => requests),
    deployments: { completed, takenBack: states.length - completed },
    seed,
  }),
);
