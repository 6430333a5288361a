/** Requests that were seen, and how many of them failed (or were slow): `failures` ≤ `requests`. */
export interface Count {
  readonly requests: number;
  readonly failures: number;
}

/** One alternative: failures with probability `p`, believed in with `weight`; the weights sum to 1. */
export interface Atom {
  readonly p: number;
  readonly weight: number;
}

/** Logs of an atom's weight, and of its factors for a request that failed and for one that did not. */
interface LogAtom {
  readonly weight: number;
  readonly failure: number;
  readonly success: number;
}

/**
 * Wealth against "each request fails with a probability of at most `limit`, whatever came before it".
 *
 * Assumption: none beyond that; failures may depend on each other, come in bursts, and the probability may change.
 * Guarantee: under it the wealth is a supermartingale from 1, as each atom lies above the limit, so that its factor
 * (p/limit)^X ((1-p)/(1-limit))^(1-X) has a mean of at most 1 whenever the conditional mean of X is at most the limit. It
 * exceeds 1/α with a probability of at most α, however often it is looked at (Ville 1939). It depends on counts alone, so
 * requests may come one by one or in batches.
 * Source: Wald, Sequential Analysis, 1947, section 10 (weighted likelihood ratios); Howard, Ramdas, McAuliffe & Sekhon,
 * Annals of Statistics 49, 2021, section 3.
 */
export class Mixture {
  readonly limit: number;
  readonly #atoms: readonly LogAtom[];

  constructor(limit: number, atoms: readonly Atom[]) {
    this.limit = limit;
    this.#atoms = atoms.map(({ p, weight }) => ({
      weight: Math.log(weight),
      failure: Math.log(p / limit),
      success: Math.log1p(-p) - Math.log1p(-limit),
    }));
  }

  get size(): number {
    return this.#atoms.length;
  }

  /** Natural logarithm of the wealth after these requests; 0 before the first. */
  logWealth({ requests, failures }: Count): number {
    // Asked for hundreds of thousands of times where a boundary is worked out: without a list of the terms.
    const successes = requests - failures;
    let most = Number.NEGATIVE_INFINITY;
    for (const atom of this.#atoms) most = Math.max(most, termOf(atom, successes, failures));
    if (most === Number.NEGATIVE_INFINITY) return most;
    let sum = 0;
    for (const atom of this.#atoms) sum += Math.exp(termOf(atom, successes, failures) - most);
    return most + Math.log(sum);
  }

  /** Log of each atom's own likelihood ratio. */
  factors({ requests, failures }: Count): number[] {
    const successes = requests - failures;
    return this.#atoms.map((atom) => factorOf(atom, successes, failures));
  }

  /** Log of each atom's weight. */
  weights(): number[] {
    return this.#atoms.map(({ weight }) => weight);
  }
}

function factorOf({ failure, success }: LogAtom, successes: number, failures: number): number {
  // An atom of p = 1 has a success of -Infinity, which times none of them is no number.
  return failures * failure + (successes === 0 ? 0 : successes * success);
}

function termOf(atom: LogAtom, successes: number, failures: number): number {
  return atom.weight + factorOf(atom, successes, failures);
}
