import { TealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { sameWeights, type TrafficSplit, type Weights } from "../model/traffic.ts";
import { type Armed, CALL_MS, EveryProxy, type SilentProxy, type ToldProxy } from "./every-proxy.ts";
import { statePathsOf } from "./state-paths.ts";

/** Longest wait until the disk has the latch. */
const DURABLE_MS: Milliseconds = 5_000;

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
  /** How many proxies live: all of them have acknowledged. */
  readonly proxies: number;
  /** From the call to the last acknowledgement. */
  readonly tookMs: Milliseconds;
  /** Whether the disk has it. If not, a power cut may undo it, and the deployment would go on at the next start. */
  readonly durable: boolean;
}

interface Acknowledged extends ToldProxy {
  readonly split: TrafficSplit | null;
}

/**
 * Gives the traffic back and latches, with nothing but the proxies: no server, no keeper, no store, no readable teal.yaml.
 * A server that lives or comes back finds the latch and takes the deployment back.
 * @throws `data-plane-down` when one that lives does not answer, after all others have given the traffic back, and when none
 * is left that takes new connections; `nothing-to-abort`; `usage` when several services are armed
 */
export async function directAbort(options: DirectAbortOptions): Promise<DirectAbort> {
  const { config, service, by, reason, clock, signal } = options;
  using proxies = new EveryProxy(statePathsOf(config), clock, signal);
  const target = await targetAt(proxies, service);
  const { deployment, revertTo } = target;
  const order = { service: target.service, deployment };
  const ask = { ...order, because: { kind: "abort" as const, by, reason } };
  const began = clock.monotonic();
  let tookMs = 0;
  const acknowledged = await proxies.each(async (proxy) => {
    const { split } = await proxy.peer.call("revert", ask, proxies.limits);
    tookMs = Number((clock.monotonic() - began).toFixed(1));
    return { ...proxy, split };
  });
  const durable = await isDurable(acknowledged, order, signal);
  const weights = liveAt(acknowledged, revertTo);
  const reverted = sameWeights(weights, revertTo);
  const done = { ...order, weights, reverted, proxies: acknowledged.length, tookMs, durable };
  const silent = await proxies.silent();
  if (silent.length > 0) throw unanswered(silent, done);
  if (acknowledged.every(({ isDraining }) => isDraining)) throw unserved(done);
  return done;
}

/** What those that answer at once have armed is acted on at once; that nothing is armed is known when all have answered. */
async function targetAt(proxies: EveryProxy, service: string | null): Promise<Armed> {
  const soon = armedAt(await proxies.soon(), service);
  if (soon.length > 0) return only(soon);
  const told = await proxies.all();
  const late = armedAt(told, service);
  if (late.length > 0) return only(late);
  const silent = await proxies.silent();
  if (silent.length > 0) throw unanswered(silent, null);
  if (told.length === 0)
    throw new TealError("data-plane-down", "no proxy runs here", {
      remedy:
        "Without a proxy there is no traffic to give back: `teal up --detach` starts one with the split of before.",
    });
  if (told.every(({ isDraining }) => isDraining)) throw unserved(null);
  const where = service === null ? "" : ` of ${service}`;
  throw new TealError("nothing-to-abort", `no deployment${where} is armed at the proxy`, {
    remedy:
      "The traffic is where the last deployment left it, or was given back already. One that has had no traffic yet, as while it waits for an approval, is not known to the proxy and lives on: `teal abort` ends it when the server answers.",
  });
}

/** The same deployment is armed at each proxy while one replaces another. */
function armedAt(told: readonly ToldProxy[], service: string | null): readonly Armed[] {
  const armed = told.flatMap((proxy) => proxy.armed).filter((one) => service === null || one.service === service);
  return [...new Map(armed.map((one) => [`${one.service} ${one.deployment}`, one])).values()];
}

function only([first, ...others]: readonly Armed[]): Armed {
  if (first !== undefined && others.length === 0) return first;
  const names = [first, ...others].flatMap((one) => one?.service ?? []).join(", ");
  throw new TealError("usage", `several services have a deployment under way: ${names}`, {
    remedy: "Name one: `teal abort SERVICE --direct`.",
  });
}

/** One that drains says nothing of the disk: the snapshot is another's. */
async function isDurable(
  acknowledged: readonly Acknowledged[],
  order: { readonly service: string; readonly deployment: string },
  signal: AbortSignal,
): Promise<boolean> {
  const limits = { signal, timeoutMs: DURABLE_MS + CALL_MS };
  const answers = await Promise.allSettled(
    acknowledged
      .filter(({ isDraining }) => !isDraining)
      .map(({ peer }) => peer.call("revert", { ...order, durableWithinMs: DURABLE_MS }, limits)),
  );
  signal.throwIfAborted();
  return answers.length > 0 && answers.every((one) => one.status === "fulfilled" && one.value.durable === true);
}

/** Where one could not go back, that is what counts. One that never had the deployment has nothing to say. */
function liveAt(acknowledged: readonly Acknowledged[], revertTo: Weights): Weights {
  const live = acknowledged
    .toSorted((a, b) => Number(a.isDraining) - Number(b.isDraining))
    .flatMap(({ split }) => (split === null ? [] : [split.weights]));
  return live.find((weights) => !sameWeights(weights, revertTo)) ?? live[0] ?? {};
}

/** What was done all the same, at the end of a message. */
function besides({ service, deployment, proxies, reverted, durable }: DirectAbort): string {
  if (proxies === 0) return "";
  const count = `${String(proxies)} other ${proxies === 1 ? "proxy" : "proxies"}`;
  const back = reverted
    ? `the traffic of ${service} is back`
    : `the traffic of ${service} stays, as going back would be worse`;
  const lost = durable ? "" : "; a power cut now could undo that";
  return `. At ${count} ${back}, and nothing of ${deployment} is taken any more${lost}`;
}

/** What is there may still send users to the release; nobody can change that but who ends it. */
function unanswered(silent: readonly SilentProxy[], done: DirectAbort | null): TealError {
  const names = silent.map(({ pid, why }) => `proxy ${String(pid)} does not answer (${why})`).join("; ");
  const may = `${silent.length === 1 ? "it" : "they"} may still serve the release that is to be taken back`;
  const kill = `kill -9 ${silent.map(({ pid }) => String(pid)).join(" ")}`;
  return new TealError("data-plane-down", `${names}: ${may}${done === null ? "" : besides(done)}`, {
    remedy:
      `Run it again: what is done is not done twice. One that goes on like this is ended with \`${kill}\`, which cuts the connections that it has; ` +
      "then run it once more, as the proxy that takes its place may begin with the split of before. Where none comes, `teal up --detach` starts one.",
  });
}

/** Those that drain take no new connections, and leave the snapshot to the one that replaces them. */
function unserved(done: DirectAbort | null): TealError {
  const message = `no proxy that takes new connections is there, and the next one begins with the split of before${done === null ? "" : besides(done)}`;
  return new TealError("data-plane-down", message, {
    remedy:
      "Run it again when that proxy is there: `teal doctor` says so. Where none comes, `teal up --detach` starts one.",
  });
}
