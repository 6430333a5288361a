import type { Random } from "../../model/time.ts";

/** A share (0 to 1) of what is there, at random; a fraction of one is one with that probability, so that none is favoured. */
export function drawn<T>(from: readonly T[], share: number, random: Random): readonly T[] {
  const exact = from.length * Math.min(1, share);
  const count = Math.floor(exact) + (random() < exact % 1 ? 1 : 0);
  const left = [...from];
  // The first `count` steps of a Fisher-Yates shuffle.
  for (let i = 0; i < count; i += 1) {
    const j = i + Math.floor(random() * (left.length - i));
    const one = left[j] as T;
    left[j] = left[i] as T;
    left[i] = one;
  }
  return left.slice(0, count);
}
