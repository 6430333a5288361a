import type { EpochMilliseconds } from "./time.ts";

/** Who has let a deployment pass its gate, and why. A deployment has one: the first. */
export interface Approval {
  readonly by: string;
  readonly reason: string | null;
  readonly at: EpochMilliseconds;
}
