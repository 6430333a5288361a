import type { TealEvent } from "../model/event.ts";
import { weights as weightsShape } from "../store/stored/shapes.ts";
import type { Weights } from "../model/traffic.ts";

// What an event's data holds, read without trust: another version may have written it.

export function textOf({ data }: TealEvent, key: string): string | null {
  const value = data[key];
  return typeof value === "string" ? value : null;
}

export function numberOf({ data }: TealEvent, key: string): number | null {
  const value = data[key];
  return typeof value === "number" ? value : null;
}

export function weightsOf({ data }: TealEvent, key = "weights"): Weights | null {
  return weightsShape.safeParse(data[key]).data ?? null;
}

/** `green 10 %, blue 90 %`. */
export function splitText(weights: Weights): string {
  const sides = Object.entries(weights).map(([name, weight]) => `${name} ${String(weight)} %`);
  return sides.length === 0 ? "nothing" : sides.join(", ");
}
