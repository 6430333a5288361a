import { TealError, toTealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { sameWeights, type Weights } from "../model/traffic.ts";
import { connectPeer } from "../wire/connect.ts";
import type { StatePaths } from "../wire/paths.ts";
import type { Peer } from "../wire/peer.ts";
import { PROXY_PROTOCOL, type ProxyProtocol } from "../wire/proxy.ts";
import { proxySockets } from "../wire/proxy-sockets.ts";
import { statePathsOf } from "./state-paths.ts";

/** One call to a process of this machine. */
const CALL_MS: Milliseconds = 2_000;

export interface DirectAbortOptions {
  /** teal.yaml, absolute; only its folder counts. */
  readonly config: string;
  /** Null: the only one with an armed deployment. */
  readonly service: string | null;
  /** For the record: the server that reads the latch back writes both down. */
  readonly by: string;
  readonly reason: string | null;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface DirectAbort {
  readonly service: string;
  readonly deployment: string;
  /** Live now. */
  readonly weights: Weights;
  /** False: going back would have been worse, as the old environment has no healthy instance. It is latched even so. */
  readonly reverted: boolean;
  /** How many proxies live and have acknowledged. */
  readonly proxies: number;
  /** From the call to the last acknowledgement. */
  readonly tookMs: Milliseconds;
}

interface Armed {
  readonly service: string;
  readonly deployment: string;
  readonly revertTo: Weights;
}

/**
 * Gives the traffic back and latches, with nothing but the proxies: no server, no keeper, no store, no readable teal.yaml.
 * A server that lives or comes back finds the latch and takes the deployment back.
 * @throws `data-plane-down` when no proxy answers or not all do, `nothing-to-abort`, `usage` when several services are armed
 */
export async function directAbort({
  config,
  service,
  by,
  reason,
  clock,
  signal,
}: DirectAbortOptions): Promise<DirectAbort> {
  const proxies = await connectAll(statePathsOf(config), signal);
  try {
    const target = chosen(unique((await Promise.all(proxies.map((peer) => armedOf(peer, signal)))).flat()), service);
    const { deployment, revertTo } = target;
    const began = clock.monotonic();
    const ask = { service: target.service, deployment, because: { kind: "abort" as const, by, reason } };
    const answers = await Promise.allSettled(
      proxies.map((peer) => peer.call("revert", ask, { signal, timeoutMs: CALL_MS })),
    );
    const tookMs = Number((clock.monotonic() - began).toFixed(1));
    const failed = answers.find((answer) => answer.status === "rejected");
    if (failed !== undefined) {
      throw new TealError("data-plane-down", `a proxy has not given the traffic of ${target.service} back`, {
        cause: failed.reason,
        remedy: "Run it again: what is done is not done twice.",
      });
    }
    const [first] = proxies;
    const seen = await first?.call("observe", { service: target.service }, { signal, timeoutMs: CALL_MS });
    const weights = seen?.split?.weights ?? {};
    const reverted = sameWeights(weights, revertTo);
    return { service: target.service, deployment, weights, reverted, proxies: proxies.length, tookMs };
  } finally {
    for (const peer of proxies) peer.close();
  }
}

/** Every proxy that lives; a socket file may outlive its process. */
async function connectAll(paths: StatePaths, signal: AbortSignal): Promise<readonly Peer<ProxyProtocol>[]> {
  const outcomes = await Promise.allSettled(
    proxySockets(paths).map(({ path }) =>
      connectPeer(path, PROXY_PROTOCOL, { down: "data-plane-down", timeoutMs: CALL_MS, signal }),
    ),
  );
  const peers = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  if (peers.length > 0) return peers;
  signal.throwIfAborted();
  const [problem] = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [toTealError(outcome.reason)] : []));
  throw new TealError("data-plane-down", problem?.message ?? `no proxy has a socket in ${paths.root}`, {
    remedy: "Without a proxy there is no traffic to give back: `teal up --detach` starts one with the split of before.",
  });
}

async function armedOf(peer: Peer<ProxyProtocol>, signal: AbortSignal): Promise<readonly Armed[]> {
  const options = { signal, timeoutMs: CALL_MS };
  const { services } = await peer.call("services", {}, options);
  const seen = await Promise.all(
    services.map(async (service) => ({ service, ...(await peer.call("observe", { service }, options)) })),
  );
  return seen.flatMap(({ service, armed }) => (armed === null ? [] : [{ service, ...armed }]));
}

/** The same deployment is armed at each proxy while one replaces another. */
function unique(armed: readonly Armed[]): readonly Armed[] {
  return [...new Map(armed.map((one) => [`${one.service} ${one.deployment}`, one])).values()];
}

function chosen(armed: readonly Armed[], service: string | null): Armed {
  const found = service === null ? armed : armed.filter((one) => one.service === service);
  const [only, ...others] = found;
  if (only === undefined) {
    const where = service === null ? "" : ` of ${service}`;
    throw new TealError("nothing-to-abort", `no deployment${where} is armed at the proxy`, {
      remedy:
        "The traffic is where the last deployment left it, or was given back already. One that has had no traffic yet, as while it waits for an approval, is not known to the proxy and lives on: `teal abort` ends it when the server answers.",
    });
  }
  if (others.length === 0) return only;
  const names = found.map((one) => one.service).join(", ");
  throw new TealError("usage", `several services have a deployment under way: ${names}`, {
    remedy: "Name one: `teal abort SERVICE --direct`.",
  });
}
