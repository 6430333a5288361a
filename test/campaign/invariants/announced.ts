import { isDeepStrictEqual } from "node:util";
import type { Evidence, IntentFact, RecordSeen, SplitSeen } from "../evidence.ts";

type Weights = Readonly<Record<string, number>>;

/**
 * Invariants 2 and 4, in what was live at the proxy and not in what the server tells of itself afterwards. When a split is
 * found there that moves traffic, the record says already that it was to come, and the environment that gets traffic has
 * passed its health checks, or a person has forced it. A revert of what was armed alone may come before its entry.
 */
export function announced({ seen, unrecorded }: Evidence): readonly string[] {
  const moves = seen.slice(1).flatMap((now, index) => {
    const before = seen[index];
    return before === undefined || !isMove(before, now) ? [] : [{ before, now }];
  });
  // Of what went with an older copy of the record there is none.
  const judged = moves.filter(({ now }) => now.deployment === null || !unrecorded.includes(now.deployment));
  const unread = judged.filter(({ now }) => now.record === null).length;
  return [
    ...judged.flatMap(({ before, now }) => (now.record === null ? [] : wrong(before, now, now.record))),
    ...(unread * 2 > judged.length
      ? [`of ${String(judged.length)} splits ${String(unread)} could not be held against the record`]
      : []),
  ];
}

function isMove(before: SplitSeen, { split, reverted }: SplitSeen): boolean {
  if (split === null || before.split === null || reverted !== null) return false;
  return !isSame(split.weights, before.split.weights);
}

function wrong(before: SplitSeen, now: SplitSeen, record: RecordSeen): string[] {
  const weights = now.split?.weights ?? {};
  const name = `${JSON.stringify(weights)} of ${String(now.deployment)} (generation ${String(now.split?.generation)})`;
  const older = before.split?.generation ?? 0;
  const intended = record.steps.find(
    (step) => step.generation !== null && step.generation > older && isSame(step.weights, weights),
  );
  const asked = record.asked.findLast((one) => one.generation > older && isSame(one.weights, weights));
  if (intended === undefined && asked === undefined) {
    // The recorded split, which was proven when it came to be, is made live again where the proxy has lost it.
    if (isSame(record.weights, weights)) return [];
    if ((weights[record.goingBackTo ?? ""] ?? 0) !== 100) return [`${name} was live before it was on record`];
  }
  if (intended?.forced === true || asked?.forced === true) return [];
  return Object.keys(weights)
    .filter((environment) => (weights[environment] ?? 0) > 0 && (before.split?.weights[environment] ?? 0) === 0)
    .filter((environment) => !isProven(environment, record, intended))
    .map((environment) => `${name} gave traffic to ${environment}, which had not passed its health checks`);
}

/** By the step that is there for it; where there is none, as in a switch to what runs already, by its own word. */
function isProven(environment: string, { steps, healthy }: RecordSeen, intended: IntentFact | undefined): boolean {
  const check = intended === undefined ? undefined : steps.find(({ uses }) => uses.startsWith("healthy@"));
  return check === undefined ? (healthy[environment] ?? 0) > 0 : check.state === "done";
}

/** Weights of zero say nothing. */
function isSame(one: Weights | null, other: Weights | null): boolean {
  const sent = (weights: Weights | null) => Object.entries(weights ?? {}).filter(([, weight]) => weight > 0);
  return isDeepStrictEqual(Object.fromEntries(sent(one)), Object.fromEntries(sent(other)));
}
