import type { Atom } from "./mixture.ts";

/** Odds ratio between neighbours: what a test for one atom loses half-way to the next is about 5 %. */
const SPACING = 1.6;
/** Where the weight begins: twice the limit. Closer by is not told apart within a deployment's traffic. */
const FIRST = 2;
/** Alternatives far above the limit need few requests, so the same share of their time is a smaller weight. */
const DECAY = -0.405;
/** For a release that fails every request. */
const CERTAIN = 0.05;
/** Both that see to it that also what is barely beyond the limit is convicted in the end. */
const BARELY = [
  { ratio: 1.25, weight: 0.005 },
  { ratio: 1.6, weight: 0.005 },
] as const;

/**
 * Alternatives to a limit in (0, 1), spread evenly over the odds: the numbers are those at which the worst ratio of the
 * mean time to convict and that of a test that knows the failure rate is smallest (`npm run bench -- detect`).
 */
export function priorAbove(limit: number): Atom[] {
  const odds = limit / (1 - limit);
  const at = (ratio: number): number => (odds * ratio) / (1 + odds * ratio);
  const spread: Atom[] = [];
  for (let ratio = FIRST; at(ratio) < 0.8 || spread.length === 0; ratio *= SPACING) {
    spread.push({ p: at(ratio), weight: Math.log(ratio) ** DECAY });
  }
  const sum = spread.reduce((total, { weight }) => total + weight, 0);
  const left = 1 - CERTAIN - BARELY.reduce((total, { weight }) => total + weight, 0);
  return [
    ...BARELY.map(({ ratio, weight }) => ({ p: at(ratio), weight })),
    ...spread.map(({ p, weight }) => ({ p, weight: (weight / sum) * left })),
    { p: 1, weight: CERTAIN },
  ];
}
