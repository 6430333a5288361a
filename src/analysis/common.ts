import type { Count } from "./mixture.ts";

/** So few requests of the active environment are no evidence of a cause that is common to both. */
const LEAST_REQUESTS = 20;
const LEAST_FAILURES = 3;

/** Whether the active environment exceeds the same limit, in all that was seen or in any of the last seconds' spans. */
export function isCommon(limit: number, counts: readonly Count[]): boolean {
  return counts.some(
    ({ requests, failures }) => requests >= LEAST_REQUESTS && failures >= LEAST_FAILURES && failures / requests > limit,
  );
}
