import type { Evidence } from "../test/campaign/evidence.ts";
import { Campaign } from "../test/campaign/campaign.ts";
import type { Fault } from "../test/campaign/faults/fault.ts";
import { FAULTS } from "../test/campaign/faults/index.ts";
import { killAtBorders, killAtRandom } from "../test/campaign/faults/kill.ts";
import { cutAtBorders, cutAtRandom, onCuttableDisk } from "../test/campaign/faults/power-cut.ts";
import { pauseAtBorders, pauseAtRandom } from "../test/campaign/faults/pause.ts";
import { breaches, losses } from "../test/campaign/invariants/index.ts";
import { seedOfThisRun } from "../test/campaign/seeded.ts";
import { whyNoCuttableDisk } from "../test/requires.ts";
import { mustReach } from "./lib/must-reach.ts";
import { benchOptions } from "./lib/options.ts";

/**
 * `kill -9` of keeper, server, proxy, one of two instances and an instance of the new release, at the border of every step
 * and at random instants, one after the other, under load; then each of them stands still for a while, from the border of
 * every step and from random instants on. Beside it, each on a site of its own and where this machine has what it takes:
 * power cuts, and every other fault of docs/failure-modes.md (not with `--quick`). `lost`: requests beyond what the contract
 * allows for each death. `TEAL_SEED` draws the same targets and times again.
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
  await killAtRandom(campaign, { times: quick ? 6 : 200, told });
  await pauseAtBorders(campaign, { most: quick ? 3 : Number.POSITIVE_INFINITY, told });
  await pauseAtRandom(campaign, { times: quick ? 2 : 30, told });
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
  await cutAtRandom(campaign, { times: quick ? 1 : 10, told });
  return await judged(campaign);
}

/** What this machine lacks for a fault. */
class Lacking extends Error {}

/** Null where this machine lacks what it takes. */
async function others(fault: Fault): Promise<Judged | null> {
  try {
    await fault.needs?.({
      skip(reason) {
        throw new Lacking(reason);
      },
    });
  } catch (thrown) {
    if (!(thrown instanceof Lacking)) throw thrown;
    console.log(`no ${fault.name}: ${thrown.message}`);
    return null;
  }
  told(`${fault.name} begins`);
  await using campaign = await Campaign.begin({ seed, ...fault });
  await fault.inject(campaign, "long");
  told(`${fault.name} is done`);
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
  return {
    evidence,
    broken,
    lost,
    kills: campaign.strikes.done.filter(({ kind }) => kind === "kill").length,
    requests: campaign.load.ledger.summary().sent,
  };
}

/** Faults whose own expectations were not met: each counts as an invariant. */
const failed: string[] = [];

type Job = () => Promise<Judged | null>;

/** So many of them at a time: they wait for most of theirs. */
async function done(jobs: readonly Job[], atOnce: number): Promise<Judged[]> {
  const results: Judged[] = [];
  const queue = jobs.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const job of queue) {
        try {
          const result = await job();
          if (result !== null) results.push(result);
        } catch (thrown) {
          // The others go on, and leave nothing behind.
          failed.push(String(thrown));
          console.log(thrown);
        }
      }
    }),
  );
  return results;
}

const OWN = new Set(["kill", "pause", "power-cut"]);
const more = FAULTS.filter(({ name }) => !OWN.has(name)).map(
  (fault): Job =>
    () =>
      others(fault),
);
const all = await done([kills, powerCuts, ...(quick ? [] : more)], quick ? 1 : 2);
const sum = (of: (one: Judged) => number): number => all.reduce((whole, one) => whole + of(one), 0);
const invariantsBroken = failed.length + sum(({ broken }) => broken.length);
const states = all.flatMap(({ evidence }) => evidence.deployments.map(({ state }) => state));
const completed = states.filter((state) => state === "completed").length;
console.log(
  JSON.stringify({
    bench: "crash",
    kills: sum((one) => one.kills),
    powerCuts: sum(({ evidence }) => evidence.outages.length),
    invariantsBroken,
    lost: sum(({ lost }) => lost.length),
    allowed: sum(({ evidence, lost }) => evidence.losses.length - lost.length),
    requests: sum(({ requests }) => requests),
    deployments: { completed, takenBack: states.length - completed },
    seed,
  }),
);
mustReach({ invariantsBroken: 0, lost: 0 }, { invariantsBroken, lost: sum(({ lost }) => lost.length) });
