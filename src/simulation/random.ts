import type { Random } from "../model/time.ts";

/**
 * The stream of uniform numbers in [0, 1) of one run: the same for the same seed and run, and far from those of other runs.
 * Small Fast Counter (sfc32) of Chris Doty-Humphrey's PractRand: a period of at least 2^32 for each of 2^96 states.
 */
export function streamOf(seed: number, run: number): Random {
  let [a, b, c, counter] = [seed >>> 0, run >>> 0, 0x9e3779b9, 1];
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  // Until the seed has gone through all of the state.
  for (let i = 0; i < 15; i++) next();
  return next;
}
