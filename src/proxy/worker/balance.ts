import type { Random } from "../../model/time.ts";
import { INSTANCE_CELL, totalFrom } from "../cells.ts";
import type { PublishedInstance } from "../messages.ts";

/** Consecutive refused connects after which an instance counts as unhealthy at once, until a check passes. */
const REFUSALS_ALLOWED = 5;

/** The one with fewer requests in flight of two random healthy instances that were not tried yet; null: there is none. */
export function pickInstance(
  instances: readonly PublishedInstance[],
  tried: ReadonlySet<string>,
  random: Random,
): PublishedInstance | null {
  const usable = instances.filter(({ id, cell }) => Atomics.load(cell, INSTANCE_CELL.healthy) === 1 && !tried.has(id));
  const first = usable[Math.floor(random() * usable.length)];
  if (first === undefined) return null;
  if (usable.length === 1) return first;
  const others = usable.filter((instance) => instance !== first);
  const second = others[Math.floor(random() * others.length)] ?? first;
  return inFlight(second) < inFlight(first) ? second : first;
}

function inFlight(instance: PublishedInstance): number {
  return totalFrom(instance.cell, INSTANCE_CELL.inFlight);
}

export function noteConnected(instance: PublishedInstance): void {
  Atomics.store(instance.cell, INSTANCE_CELL.refused, 0);
}

/** Whether that has just made the instance unhealthy. */
export function noteRefused(instance: PublishedInstance): boolean {
  const refused = Atomics.add(instance.cell, INSTANCE_CELL.refused, 1) + 1;
  return refused >= REFUSALS_ALLOWED && Atomics.exchange(instance.cell, INSTANCE_CELL.healthy, 0) === 1;
}
