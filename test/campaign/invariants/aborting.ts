import type { Milliseconds } from "../../../src/model/time.ts";
import type { Evidence } from "../evidence.ts";

/** What was live is seen a look later, and a busy machine looks late. */
const SLACK_MS: Milliseconds = 300;

/** Invariant 5: when an abort was answered, the release has no traffic, gets none again, and its deployment ends aborted. */
export function aborting({ aborts, deployments, seen }: Evidence): readonly string[] {
  return aborts.flatMap(({ deployment, at }) => {
    const row = deployments.find(({ id }) => id === deployment);
    if (row === undefined) return [`${deployment} was aborted, and is not on record`];
    const given = (weights: Readonly<Record<string, number>> | undefined): number => weights?.[row.to] ?? 0;
    const then = seen.findLast((one) => one.at <= at + SLACK_MS);
    const later = seen.filter((one) => one.at > at + SLACK_MS && one.deployment === deployment);
    return [
      ...(row.state === "aborted" ? [] : [`${deployment} was aborted, and ended ${row.state}`]),
      ...(given(then?.split?.weights) === 0
        ? []
        : [`${deployment} still had ${String(given(then?.split?.weights))} % after its abort was answered`]),
      ...(later.some(({ split }) => given(split?.weights) > 0) ? [`${deployment} got traffic after its abort`] : []),
    ];
  });
}
