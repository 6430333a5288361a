import { sendSignal } from "../keeper/end-group.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { connectPeer } from "../wire/connect.ts";
import type { StatePaths } from "../wire/paths.ts";
import { type ProcessStat, readStat } from "../wire/process-stat.ts";
import { PROXY_PROTOCOL } from "../wire/proxy.ts";
import { until } from "./keeper-client.ts";

const CALL_MS: Milliseconds = 2_000;
/** Between SIGTERM and SIGKILL, and after it. */
const END_MS: Milliseconds = 2_000;

/** Whether each of them says so of itself; one that does not answer may serve. */
export async function allDrain(
  proxies: readonly ProcessStat[],
  paths: StatePaths,
  signal: AbortSignal,
): Promise<boolean> {
  const answers = await Promise.all(proxies.map(({ pid }) => drains(paths.proxySocket(pid), signal)));
  return answers.every(Boolean);
}

async function drains(socket: string, signal: AbortSignal): Promise<boolean> {
  const options = { timeoutMs: CALL_MS, signal };
  try {
    const peer = await connectPeer(socket, PROXY_PROTOCOL, { down: "data-plane-down", ...options });
    try {
      return (await peer.call("ping", {}, options)).draining;
    } finally {
      peer.close();
    }
  } catch {
    // It starts, ends or hangs: what it does is not known. An abort is the caller's to see.
    signal.throwIfAborted();
    return false;
  }
}

/** Returns when all have ended: by themselves within `drainMs`, else by SIGTERM, else by force. */
export async function endProxies(
  proxies: readonly ProcessStat[],
  drainMs: Milliseconds,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const alive = (): readonly ProcessStat[] =>
    proxies.filter(({ pid, startTicks }) => readStat(pid)?.startTicks === startTicks);
  const gone = (ms: Milliseconds): Promise<boolean> => until(() => alive().length === 0, ms, clock, signal);
  if (await gone(drainMs)) return;
  for (const end of ["SIGTERM", "SIGKILL"] as const) {
    for (const { pid } of alive()) sendSignal(pid, end);
    if (await gone(END_MS)) return;
  }
}
