import type { Advance } from "../model/guardrail.ts";
import type { Milliseconds } from "../model/time.ts";

/** What becomes of a watch: it goes on, its step is done, or evidence was waited for long enough. */
export type Ending = "goes-on" | "over" | "evidence-lacking";

export interface WatchState {
  readonly advance: Advance;
  /** Of the step's time; negative: beyond it. */
  readonly leftMs: Milliseconds;
  /** How long beyond its time evidence is waited for. */
  readonly maxWaitMs: Milliseconds;
  readonly isShownGood: boolean;
}

export function endingOf({ advance, leftMs, maxWaitMs, isShownGood }: WatchState): Ending {
  if (advance === "time") return leftMs <= 0 ? "over" : "goes-on";
  if (isShownGood) return advance === "evidence" || leftMs <= 0 ? "over" : "goes-on";
  return leftMs > -maxWaitMs ? "goes-on" : "evidence-lacking";
}
