import { isDeepStrictEqual } from "node:util";
import type { Evidence, SplitSeen } from "../evidence.ts";

/** Invariant 1, in what the data plane has held in the course of time: sums, the order of splits, latches. */
export function order({ seen, events }: Evidence): readonly string[] {
  const told = events.flatMap(({ type, data, seq }) =>
    type === "split-applied" || type === "split-reverted"
      ? sums(data["weights"] as Record<string, number>, `event ${String(seq)}`)
      : [],
  );
  const held = seen.flatMap(({ split }) => (split === null ? [] : sums(split.weights, nameOf(split))));
  const pairs = seen.slice(1).flatMap((now, index) => {
    const before = seen[index];
    return before === undefined ? [] : [...backwards(before, now), ...latched(before, now)];
  });
  return [...told, ...held, ...pairs];
}

function sums(weights: Readonly<Record<string, number>>, what: string): string[] {
  const sum = Object.values(weights).reduce((all, weight) => all + weight, 0);
  return sum === 100 || Object.keys(weights).length === 0 ? [] : [`the weights of ${what} sum to ${String(sum)}`];
}

function backwards({ split: before }: SplitSeen, { split: now }: SplitSeen): string[] {
  if (before === null) return [];
  if (now === null) return [`nothing was live after ${nameOf(before)}`];
  const isBack = now.fence < before.fence || (now.fence === before.fence && now.generation < before.generation);
  return isBack ? [`${nameOf(now)} was live after ${nameOf(before)}`] : [];
}

function latched(before: SplitSeen, { split, deployment, reverted }: SplitSeen): string[] {
  // Upkeep under a new number leaves the weights as they are.
  if (split === null || isDeepStrictEqual(split.weights, before.split?.weights)) return [];
  return before.latches.flatMap((latch) => [
    ...(deployment === latch.deployment && reverted !== deployment
      ? [`${latch.deployment} made ${nameOf(split)} live after its revert`]
      : []),
    ...(split.fence <= latch.fence && reverted === null
      ? [`${nameOf(split)} became live though fence ${String(latch.fence)} is latched`]
      : []),
  ]);
}

function nameOf(split: SplitSeen["split"]): string {
  return split === null ? "nothing" : `(${String(split.fence)}, ${String(split.generation)})`;
}
