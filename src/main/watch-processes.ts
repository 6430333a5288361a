import { basename } from "node:path";
import { type Report, toTealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import type { KeeperProtocol } from "../wire/keeper.ts";
import type { ReconnectingPeer } from "../wire/reconnecting.ts";
import { ProcessChanges, type ProcessReplaced } from "./process-events.ts";
import { processesOf } from "./running.ts";
import { pruneRuntimes } from "./runtime.ts";

const PRUNE_EVERY_MS: Milliseconds = 3_600_000;

export interface WatchProcessesOptions {
  readonly keeper: ReconnectingPeer<KeeperProtocol>;
  readonly clock: Clock;
  /** Folder of the copied bundles. */
  readonly runtimes: string;
  /** What this server runs from: the name of its folder there. */
  readonly version: string;
  /** Takes how many servers the keeper has ended as they hung. */
  readonly hangs: (count: number) => void;
  readonly tell: (change: ProcessReplaced) => Promise<void>;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** Tells of processes that took another's place, and removes the bundles that nothing runs from any more. */
export function watchProcesses(options: WatchProcessesOptions): void {
  const { keeper, clock, tell, report, signal } = options;
  const guarded = (doing: string, task: Promise<unknown>): void => {
    task.catch((thrown: unknown) => {
      if (!signal.aborted) report(toTealError(thrown), { doing });
    });
  };
  const changes = new ProcessChanges((change) => {
    const runtime = change.runtime === null ? null : basename(change.runtime);
    guarded("telling of a process", tell({ ...change, runtime }));
  });
  const look = async (): Promise<void> => {
    const status = await keeper.call("status", {}, { signal });
    changes.keeper(status);
    options.hangs(status.server.hangs ?? 0);
    const inUse = processesOf(status).map(({ runtime }) => runtime);
    await pruneRuntimes(options.runtimes, [...inUse, options.version], clock.now());
  };
  keeper.onNotice("proxies", ({ proxies }) => {
    if (signal.aborted) return;
    changes.proxies(proxies);
    guarded("looking at what runs", look());
  });
  keeper.onConnected(() => {
    if (!signal.aborted) guarded("looking at what runs", look());
  });
  const again = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(PRUNE_EVERY_MS, signal);
      guarded("looking at what runs", look());
    }
  };
  guarded("removing old bundles", again());
}
