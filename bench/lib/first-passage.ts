/** Convicts at this request, with so many failures among it and those before. */
export type Convicts = (requests: number, failures: number) => boolean;

export interface FirstPassage {
  /** Mean number of requests to the conviction. */
  readonly mean: number;
  /** Where it convicts, and with which probability. */
  readonly stops: readonly { readonly requests: number; readonly failures: number; readonly mass: number }[];
}

/** What is left of the probability when the sum ends; each request that is left out has less than this. */
const NEGLIGIBLE = 1e-10;

/**
 * When a test convicts independent failures of probability `p`, exactly: by the probability of each number of failures at
 * each request. `convicts` must be true of more failures when it is of fewer, and of fewer requests when it is of more.
 */
export function firstPassage(p: number, convicts: Convicts): FirstPassage {
  let alive = [1];
  let least = 1;
  let left = 1;
  let mean = 0;
  const stops: { requests: number; failures: number; mass: number }[] = [];
  for (let requests = 1; left > NEGLIGIBLE; requests++) {
    mean += left;
    const next: number[] = [];
    for (let failures = 0; failures <= alive.length; failures++) {
      next.push((alive[failures] ?? 0) * (1 - p) + (failures === 0 ? 0 : (alive[failures - 1] ?? 0) * p));
    }
    while (least <= requests && !convicts(requests, least)) least += 1;
    left = 0;
    for (const [failures, mass] of next.entries()) {
      if (failures < least) left += mass;
      else if (mass > 0) stops.push({ requests, failures, mass });
    }
    alive = next.slice(0, least);
  }
  return { mean, stops };
}
