import { type TealError, toTealError } from "../../model/error.ts";
import type { Clock } from "../../model/time.ts";
import type { StatusAnswer } from "../../sdk/client.ts";
import { TealClient } from "../../sdk/client.ts";
import { connectPeer } from "../../wire/connect.ts";
import type { InstanceReport, KeeperProtocol } from "../../wire/keeper.ts";
import type { StatePaths } from "../../wire/paths.ts";
import type { Result } from "../../wire/protocol.ts";
import { PROXY_PROTOCOL, type ProxyProtocol } from "../../wire/proxy.ts";
import { type ProxySocket, proxySockets } from "../../wire/proxy-sockets.ts";
import { keeperOf } from "../keeper-client.ts";

const CALL_MS = 3_000;

/** What was asked of a part that may be down: its answer, or why there is none. */
export type Asked<T> = { readonly answer: T } | { readonly problem: TealError };

export interface KeeperView {
  readonly status: Result<KeeperProtocol, "status">;
  readonly instances: readonly InstanceReport[];
}

export interface ProxyView {
  readonly pid: number;
  readonly draining: boolean;
  readonly services: Readonly<Record<string, Result<ProxyProtocol, "observe">>>;
}

/** A socket file of Teal's, and who answers behind it. */
export interface SocketView {
  readonly path: string;
  readonly proxy: Asked<ProxyView>;
}

/** Everything that is asked of Teal's processes, once; a part that is down is a part of the picture. */
export interface Scene {
  readonly paths: StatePaths;
  /** Version of the bundles of this package. */
  readonly packageRuntime: string;
  /** Null: none runs. */
  readonly keeper: Asked<KeeperView | null>;
  readonly api: Asked<StatusAnswer>;
  readonly proxies: readonly SocketView[];
  readonly clock: Clock;
}

export async function lookAround(
  paths: StatePaths,
  packageRuntime: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Scene> {
  const client = new TealClient({ socket: paths.apiSocket }, clock);
  const [keeper, api, proxies] = await Promise.all([
    asked(keeperView(paths, signal)),
    asked(client.status({ signal, timeoutMs: 2 * CALL_MS })),
    Promise.all(
      proxySockets(paths).map(async (socket) => ({ path: socket.path, proxy: await asked(proxyView(socket, signal)) })),
    ),
  ]);
  signal.throwIfAborted();
  return { paths, packageRuntime, keeper, api, proxies, clock };
}

/** The answer of a part, or null where it is down. */
export function answerOf<T>(from: Asked<T>): T | null {
  return "answer" in from ? from.answer : null;
}

async function asked<T>(asking: Promise<T>): Promise<Asked<T>> {
  try {
    return { answer: await asking };
  } catch (thrown) {
    return { problem: toTealError(thrown) };
  }
}

async function keeperView(paths: StatePaths, signal: AbortSignal): Promise<KeeperView | null> {
  using keeper = await keeperOf(paths, signal);
  if (keeper === null) return null;
  const [status, { instances }] = await Promise.all([
    keeper.status(),
    keeper.peer.call("instances.list", {}, { signal, timeoutMs: CALL_MS }),
  ]);
  return { status, instances };
}

async function proxyView({ pid, path }: ProxySocket, signal: AbortSignal): Promise<ProxyView> {
  const options = { signal, timeoutMs: CALL_MS };
  const peer = await connectPeer(path, PROXY_PROTOCOL, { down: "data-plane-down", ...options });
  try {
    const { draining } = await peer.call("ping", {}, options);
    const { services } = await peer.call("services", {}, options);
    const seen = await Promise.all(
      services.map(async (service) => [service, await peer.call("observe", { service }, options)] as const),
    );
    return { pid, draining, services: Object.fromEntries(seen) };
  } finally {
    peer.close();
  }
}
