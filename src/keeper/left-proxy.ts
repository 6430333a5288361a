import { TealError } from "../model/error.ts";
import { readCommandLine, readStat } from "./procfs.ts";

/** Why a keeper does not start beside a proxy that serves and did not start it. */
export function leftProxy(pid: number): TealError {
  const keeper = keeperOf(pid);
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

/** The keeper that has started it and still runs. */
function keeperOf(proxy: number): number | null {
  const parent = readStat(proxy)?.parent ?? 0;
  return readCommandLine(parent).some((word) => /(^|\/)keeper\.m?[jt]s$/.test(word)) ? parent : null;
}
