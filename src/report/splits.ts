import type { TealEvent } from "../model/event.ts";
import { weightsOf } from "./data.ts";
import type { SplitChange } from "./replay-figure.ts";

/** Every change of the split during a deployment, also those by hand and the way back. */
export function splitsOf(events: readonly TealEvent[], candidate: string): readonly SplitChange[] {
  return events.flatMap((event) => {
    if (event.type !== "split-applied" && event.type !== "split-reverted") return [];
    const weights = weightsOf(event);
    return weights === null ? [] : [{ at: event.at, weight: weights[candidate] ?? 0, step: event.step }];
  });
}
