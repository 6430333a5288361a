import type { TealEvent } from "../model/event.ts";
import { sameWeights, type TrafficSplit, type Weights } from "../model/traffic.ts";
import type { ServiceRow, Store } from "../store/store.ts";
import { weights as weightsShape } from "../store/stored/shapes.ts";

const EVENTS_AT_ONCE = 1_000;

/**
 * Whether a person had Teal set the live split: a crash, or an answer that was lost, has kept it from the record. Upkeep may
 * have sent the same weights again under higher generations since. Read only where the two differ, newest first, and no
 * further than what is on record.
 */
export async function wasAsked(
  store: Pick<Store, "events" | "lastSeq">,
  split: TrafficSplit | null,
  row: ServiceRow,
): Promise<boolean> {
  if (split === null) return false;
  for (let end = await store.lastSeq(); end > 0; end -= EVENTS_AT_ONCE) {
    const events = await store.events(Math.max(0, end - EVENTS_AT_ONCE), EVENTS_AT_ONCE);
    const [first] = events;
    // Nothing in this stretch: it has been pruned, and so has what is older.
    if (first === undefined || first.seq > end) return false;
    const told = events.filter(({ service }) => service === row.service).flatMap(splitTold);
    const isLive = (asked: SplitTold): boolean =>
      asked.isAsked &&
      asked.generation > row.generation &&
      asked.generation <= split.generation &&
      sameWeights(asked.weights, split.weights);
    if (told.some(isLive)) return true;
    if (told.some(({ generation }) => generation <= row.generation)) return false;
  }
  return false;
}

interface SplitTold {
  readonly isAsked: boolean;
  readonly generation: number;
  readonly weights: Weights;
}

function splitTold({ type, data }: TealEvent): SplitTold[] {
  if (type !== "traffic-asked" && type !== "split-applied") return [];
  const weights = weightsShape.safeParse(data["weights"]).data;
  const { generation } = data;
  if (weights === undefined || typeof generation !== "number") return [];
  return [{ isAsked: type === "traffic-asked", generation, weights }];
}
