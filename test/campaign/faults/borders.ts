import type { DeploymentAnswer } from "../../../src/api/answers.ts";
import type { Campaign } from "../campaign.ts";
import { draw } from "../seeded.ts";
import { stepAt, type Strike } from "../strike.ts";
import { type Target, TARGETS } from "../target.ts";
import { STEPS } from "./steps.ts";

/** Deployments that one border gets: a target may be away for a moment, and a step be over before its signal. */
const TRIES = 3;

export interface Told {
  /** Takes a line on each signal. */
  readonly told?: (what: string) => void;
}

type Pair = readonly [step: string, target: Target];

/** Before its start a release has no instances. */
const PAIRS: readonly Pair[] = STEPS.flatMap((step, index) =>
  TARGETS.flatMap((target): Pair[] =>
    target === "candidate" && index < STEPS.indexOf("start") ? [] : [[step, target]],
  ),
);

export interface AtBorders extends Told {
  /** Of all pairs of step and target, so many are drawn. */
  readonly most: number;
  readonly kind: Strike["kind"];
  /** The signal, and what belongs to it; whether it hit. */
  readonly act: (target: Target, step: string) => Promise<boolean>;
  /** What follows it. */
  readonly after?: () => Promise<void>;
}

/** A signal at the border of each step for each target, with a deployment of its own. Each of them has to hit. */
export async function atBorders(campaign: Campaign, { most, kind, act, after, told }: AtBorders): Promise<void> {
  for (const [border, target] of draw(PAIRS, most, campaign.random)) {
    campaign.strikes.wish({ kind, target, border });
    for (let tries = 0, hit: string | null = null; hit === null && tries < TRIES; tries += 1) {
      const { id, acted } = await campaign.deployTo(border, () => act(target, border));
      await after?.();
      const ended = await campaign.site.ended(id);
      hit = acted === true ? hitStep(campaign, ended) : null;
      told?.(
        `${kind} ${target} at ${border}: ${acted === true ? `hit ${hit ?? "nothing"}` : "not there"}: ${ended.state}`,
      );
      await campaign.whole();
    }
  }
}

function hitStep({ strikes }: Campaign, { steps }: DeploymentAnswer): string | null {
  const at = strikes.done.at(-1)?.at;
  return at === undefined ? null : (stepAt(steps, at)?.id ?? null);
}

export interface AtRandom extends Told {
  readonly times: number;
  readonly kind: Strike["kind"];
  readonly act: (target: Target) => Promise<boolean>;
  readonly after?: () => Promise<void>;
}

/** A signal at instants that nothing but chance chooses, one after the other, while one version after the other is deployed. */
export async function atRandom(campaign: Campaign, { times, kind, act, after, told }: AtRandom): Promise<void> {
  // Some come between two deployments.
  campaign.strikes.wish({ kind, target: "app", border: null }, Math.ceil(times * 0.7));
  const enough = new AbortController();
  const deploying = deployOn(campaign, enough.signal);
  try {
    for (let done = 0; done < times;) {
      await campaign.pause(20, 900);
      const target = campaign.target(TARGETS);
      if (!(await act(target))) continue;
      done += 1;
      told?.(`${kind} ${target} at random (${String(done)})`);
      await after?.();
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
