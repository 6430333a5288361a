import { availableParallelism } from "node:os";
import { pid as ownPid } from "node:process";
import { TealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { connectPeer } from "../wire/connect.ts";
import type { Program, ProxyLaunch } from "../wire/launch.ts";
import type { Params, Result } from "../wire/protocol.ts";
import { PROXY_PROTOCOL, type ProxyProtocol } from "../wire/proxy.ts";
import type { KeeperParts } from "./parts.ts";
import { isSameProgram, ownProgram, programWith } from "./program.ts";
import type { ProxyRecord } from "./record.ts";
import type { HeldSocket } from "./sockets.ts";
import { spawnTeal } from "./spawn-teal.ts";
import { adoptProcess, printExit, type WatchedProcess } from "./watched-process.ts";

/** Beyond so many, workers wait for each other more than they help. */
const MOST_WORKERS = 16;
/** Duplicates beyond one per worker: a worker that dies takes its own with it, and the one in its place needs another. */
const RESERVE = 8;
/** How long a new proxy may take until it answers. */
const ANSWER_MS: Milliseconds = 15_000;
const ASK_AGAIN_MS: Milliseconds = 25;

/** One process of the data plane. */
export interface ProxyProcess {
  readonly process: WatchedProcess;
  readonly socket: string;
  readonly startedAt: number;
  /** The addresses that it serves, as `proxy.listen` says them. */
  readonly listen: readonly string[];
  readonly settings: ProxyLaunch["settings"];
  readonly program: Program;
  draining: boolean;
}

/** Starts a proxy on duplicates of the sockets: one for each of its workers, a reserve, and a spare for a keeper that it may have to start. */
export async function startProxy(
  sockets: readonly HeldSocket[],
  wanted: { readonly settings: ProxyLaunch["settings"]; readonly program: Program },
  parts: KeeperParts,
): Promise<ProxyProcess> {
  const { root, config } = parts.launch;
  const { settings } = wanted;
  const program = programWith("proxy", wanted.program, parts);
  const own = ownProgram(parts);
  const workers = Math.min(availableParallelism(), MOST_WORKERS);
  const descriptors: number[] = [];
  /** Answers the number that the duplicate has in the child: 0-2 are its standard ones. */
  const duplicate = (fd: number): number => descriptors.push(fd) + 2;
  const listeners = sockets.map(({ listen, address, fd }) => ({
    listen,
    address,
    fds: Array.from({ length: workers + RESERVE }, () => duplicate(fd)),
    spare: duplicate(fd),
  }));
  const { runtime } = program;
  const previous = isSameProgram(own, program) ? {} : { previous: own };
  const launch: ProxyLaunch = { root, runtime, config, workers, listeners, settings, keeper: ownPid, ...previous };
  const process = await spawnTeal("proxy", program, launch, parts, descriptors);
  return {
    process,
    socket: parts.paths.proxySocket(process.pid),
    startedAt: parts.clock.now(),
    listen: sockets.map(({ listen }) => listen),
    settings,
    program,
    draining: false,
  };
}

export function adoptProxy(record: ProxyRecord, parts: KeeperParts, signal: AbortSignal): ProxyProcess | null {
  const process = adoptProcess(record, parts.clock, signal);
  if (process === null) return null;
  const { startedAt, listen, settings, draining, program = ownProgram(parts) } = record;
  return { process, socket: parts.paths.proxySocket(process.pid), startedAt, listen, settings, program, draining };
}

/** @throws `data-plane-down` when it has ended, or does not answer in time */
export async function untilAnswers(proxy: ProxyProcess, clock: Clock): Promise<void> {
  const over = new AbortController();
  const ended = proxy.process.exited.then((exit) => {
    throw new TealError("data-plane-down", `the new proxy ${printExit(exit)} before it answered; see proxy.log`);
  });
  try {
    await Promise.race([ended, askUntilAnswered(proxy.socket, clock, over.signal)]);
  } finally {
    over.abort(new TealError("aborted", "the proxy is not asked any more"));
  }
}

async function askUntilAnswered(socket: string, clock: Clock, signal: AbortSignal): Promise<void> {
  const until = clock.monotonic() + ANSWER_MS;
  for (;;) {
    try {
      await ask(socket, "ping", {}, signal);
      return;
    } catch (thrown) {
      signal.throwIfAborted();
      if (clock.monotonic() >= until) {
        throw new TealError(
          "data-plane-down",
          `the new proxy did not answer within ${String(ANSWER_MS)} ms; see proxy.log`,
          { cause: thrown },
        );
      }
      await clock.sleep(ASK_AGAIN_MS, signal);
    }
  }
}

/** @throws `data-plane-down` when it cannot be told */
export async function tellToDrain(proxy: ProxyProcess, deadlineMs: Milliseconds): Promise<void> {
  await ask(proxy.socket, "drain", { deadlineMs });
}

/** The longest `traffic.longLived` of the services that the proxy serves; null when it does not say. */
export async function longestLived(proxy: ProxyProcess): Promise<Milliseconds | null> {
  return (await ask(proxy.socket, "ping", {})).longLivedMs ?? null;
}

/** Connects, asks and closes. */
async function ask<M extends "ping" | "drain">(
  socket: string,
  call: M,
  params: Params<ProxyProtocol, M>,
  signal?: AbortSignal,
): Promise<Result<ProxyProtocol, M>> {
  const options = { timeoutMs: 2_000, ...(signal === undefined ? {} : { signal }) };
  const peer = await connectPeer(socket, PROXY_PROTOCOL, { down: "data-plane-down", ...options });
  try {
    return await peer.call(call, params, options);
  } finally {
    peer.close();
  }
}
