import { TealError } from "../model/error.ts";
import type { ProcessStat } from "../wire/process-stat.ts";

/** Why a keeper does not start beside a proxy that serves and did not start it; `keeper` is the one that it serves for. */
export function leftProxy(pid: number, keeper: number | null): TealError {
  return keeper === null
    ? new TealError(
        "keeper-down",
        `the proxy with pid ${String(pid)} still serves after the last keeper's end; it starts a new keeper by itself`,
        {
          remedy: `Run the command again in a few seconds; if that does not help, end the proxy with \`kill ${String(pid)}\`.`,
        },
      )
    : new TealError(
        "keeper-down",
        `the proxy with pid ${String(pid)} serves for the keeper with pid ${String(keeper)}, whose state directory was taken away`,
        {
          remedy: `End it and all that it runs with \`kill ${String(keeper)}\`, then run the command again.`,
        },
      );
}

/**
 * Pid of the keeper that `proxy` serves for, of the `keepers` of its state directory: the one that started it, or, after a
 * takeover, the one that it has started. One younger than `self` is none: it finds the lock taken, which `self` has.
 */
export function keeperOfProxy(
  proxy: ProcessStat,
  keepers: readonly ProcessStat[],
  self: Pick<ProcessStat, "pid" | "startTicks">,
): number | null {
  const others = keepers.filter(({ pid, startTicks }) => pid !== self.pid && startTicks <= self.startTicks);
  const related = others.find(({ pid }) => pid === proxy.parent) ?? others.find(({ parent }) => parent === proxy.pid);
  return related?.pid ?? null;
}
