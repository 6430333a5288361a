import { ExcessTest } from "../../src/analysis/excess-test.ts";
import { firstPassage } from "./first-passage.ts";
import { exactSprt, waldBound } from "./sprt.ts";

export interface Detection {
  readonly p0: number;
  readonly p1: number;
  readonly mean: number;
  /** To the exact SPRT that knows p1. */
  readonly ratio: number;
  readonly waldRatio: number;
}

/** By the contract, the first seven; the others lie between, so that nothing is tuned to the seven alone. */
export const CASES = [
  [0.05, 1],
  [0.05, 0.2],
  [0.05, 0.1],
  [0.01, 0.05],
  [0.01, 0.02],
  [0.001, 0.2],
  [0.001, 0.01],
] as const;
export const BETWEEN = [
  [0.05, 0.15],
  [0.05, 0.4],
  [0.05, 0.6],
  [0.01, 0.03],
  [0.01, 0.1],
  [0.01, 0.3],
  [0.001, 0.003],
  [0.001, 0.03],
] as const;

/**
 * Exactly, of the test that begins with the deployment. The one that is begun anew beside it can only convict earlier, so
 * the product needs no more than this.
 */
export function requestsToDetect(p0: number, p1: number, alpha: number): Detection {
  const test = new ExcessTest(p0, alpha);
  const { mean } = firstPassage(p1, (requests, failures) => test.convictsFromTheStart({ requests, failures }));
  return { p0, p1, mean, ratio: mean / exactSprt(p0, p1, alpha).mean, waldRatio: mean / waldBound(p0, p1, alpha) };
}
