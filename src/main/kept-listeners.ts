import { type Report, toTealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import type { KeeperProtocol } from "../wire/keeper.ts";
import type { Peer } from "../wire/peer.ts";
import type { Params } from "../wire/protocol.ts";
import type { ReconnectingPeer } from "../wire/reconnecting.ts";

/** Longest until a proxy answers on them. */
const LISTEN_MS: Milliseconds = 30_000;
const ASK_AGAIN_MS: Milliseconds = 100;
const FIRST_PAUSE_MS: Milliseconds = 1_000;
const LONGEST_PAUSE_MS: Milliseconds = 30_000;

export interface KeptListeners {
  readonly keeper: Pick<ReconnectingPeer<KeeperProtocol>, "onConnected">;
  readonly wanted: Params<KeeperProtocol, "listeners.ensure">;
  readonly clock: Clock;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** Where the keeper dies meanwhile, of the next one. @throws what the last one says; `keeper-down` when none came in time */
export async function listenNow({
  keeper,
  wanted,
  clock,
}: Pick<KeptListeners, "wanted" | "clock"> & {
  readonly keeper: Pick<ReconnectingPeer<KeeperProtocol>, "call">;
}): Promise<void> {
  const until = clock.monotonic() + LISTEN_MS;
  for (;;) {
    try {
      const timeoutMs = Math.max(1, until - clock.monotonic());
      await keeper.call("listeners.ensure", wanted, { timeoutMs });
      return;
    } catch (thrown) {
      if (toTealError(thrown).code !== "keeper-down" || clock.monotonic() + ASK_AGAIN_MS > until) throw thrown;
      await clock.sleep(ASK_AGAIN_MS);
    }
  }
}

/** Tells every keeper, the present one too, where to listen: one that came after all else had died may not have the sockets. */
export function keepListeners({ keeper, signal, ...rest }: KeptListeners): void {
  keeper.onConnected((peer) => {
    if (!signal.aborted) void ensure(peer, { signal, ...rest });
  });
}

/** Until it has worked, or this keeper goes; never rejects. */
async function ensure(
  peer: Peer<KeeperProtocol>,
  { wanted, clock, report, signal }: Omit<KeptListeners, "keeper">,
): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  const isOver = (): boolean => signal.aborted || peer.isOver;
  while (!isOver()) {
    try {
      await peer.call("listeners.ensure", wanted, { timeoutMs: LISTEN_MS, signal });
      return;
    } catch (thrown) {
      const problem = toTealError(thrown);
      // It leaves, or takes everything down.
      if (isOver() || problem.code === "keeper-down") return;
      report(problem, { doing: "listening", againInMs: pauseMs });
    }
    await clock.sleep(pauseMs, signal).catch(() => undefined);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}
