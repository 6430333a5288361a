import type { Weights } from "../model/traffic.ts";

/** One environment's share, in the order in which shares are laid out on [0, 1). */
export interface Share {
  readonly environment: string;
  readonly weight: number;
}

/**
 * Lays the shares out in the order of names, whatever the weights: of two environments, the border between them moves as
 * the weights do, so that with u fixed per client a client only moves towards the side that grows (DESIGN section 6,
 * "Affinity is monotonic"), also when upkeep or a new proxy lays them out again.
 */
export function sharesOf(weights: Weights): readonly Share[] {
  return Object.entries(weights)
    .map(([environment, weight]) => ({ environment, weight }))
    .toSorted((a, b) => (a.environment < b.environment ? -1 : 1));
}

/**
 * The environment that owns the point `u` of [0, 1); null when no environment has a share.
 * u is drawn anew for each request, or is the client's own (affinity.ts).
 */
export function chooseEnvironment(shares: readonly Share[], u: number): string | null {
  let point = u * 100;
  let last: string | null = null;
  for (const { environment, weight } of shares) {
    if (weight === 0) continue;
    if (point < weight) return environment;
    point -= weight;
    last = environment;
  }
  return last;
}
