import { total } from "./cells.ts";
import { REFUSED_REASONS } from "./http/refused.ts";

/** Row of one worker in what a process counts at its door: every number has one writer. */
export const DOOR = {
  accepted: 0,
  open: 1,
  /** Lines of the access log that were written, and that were not. */
  logged: 2,
  dropped: 3,
  refused: 4,
  length: 4 + REFUSED_REASONS.length,
} as const;

export interface DoorReading {
  readonly accepted: number;
  readonly open: number;
  readonly logged: number;
  readonly dropped: number;
  readonly refused: Record<string, number>;
}

/** All workers' counts, added up. */
export function readDoor(cells: Float64Array): DoorReading {
  const sum = (field: number): number => total(cells, DOOR.length, field);
  return {
    accepted: sum(DOOR.accepted),
    open: sum(DOOR.open),
    logged: sum(DOOR.logged),
    dropped: sum(DOOR.dropped),
    refused: Object.fromEntries(REFUSED_REASONS.map((reason, at) => [reason, sum(DOOR.refused + at)])),
  };
}
