import { TealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { PeerServer } from "../wire/connect.ts";
import type { CallInfo } from "../wire/peer.ts";
import { PROXY_PROTOCOL, type ProxyProtocol } from "../wire/proxy.ts";
import type { DataPlane } from "./data-plane.ts";
import type { Followers } from "./followers.ts";

export interface ControlOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly plane: DataPlane;
  readonly followers: Followers;
  readonly epoch: string;
  readonly isDraining: () => boolean;
  /** Any message but `drain`: a controller is there. */
  readonly onSignOfLife: () => void;
  /** Begins to drain and returns; the process ends later. */
  readonly drain: (deadlineMs: Milliseconds) => void;
}

/** Answers PROXY_PROTOCOL: one line per call into the data plane. */
export function serveControl(options: ControlOptions): Promise<PeerServer<typeof PROXY_PROTOCOL>> {
  const { plane, followers, epoch } = options;
  type Info = CallInfo<ProxyProtocol>;
  const heard = <P, R>(handler: (params: P, info: Info) => R | Promise<R>) => {
    return async (params: P, info: Info): Promise<R> => {
      options.onSignOfLife();
      try {
        return await handler(params, info);
      } finally {
        // Whoever has the answer to a change can rely on having been told of it.
        followers.tell();
      }
    };
  };
  return PeerServer.listen(options.path, PROXY_PROTOCOL, {
    ping: heard(() => ({
      epoch,
      pid: process.pid,
      draining: options.isDraining(),
      longLivedMs: plane.longestLivedMs,
    })),
    services: heard(() => ({ services: [...plane.serviceNames] })),
    observe: heard(({ service, follow }, { peer }) => {
      if (follow === true) followers.follow(service, peer);
      return plane.observe(service);
    }),
    apply: heard((table) => plane.apply(table)),
    revert: heard(async ({ service, deployment, because, durableWithinMs }) => {
      const split = await plane.revert(service, deployment, { cause: "revert", because });
      const durable = durableWithinMs === undefined ? null : await plane.keep(service, durableWithinMs);
      return durable === null ? { split } : { split, durable };
    }),
    disarm: heard(async ({ service, deployment, fence }) => {
      const live = plane.observe(service).split?.fence ?? 0;
      if (fence < live)
        throw new TealError("fenced", `${service} has fence ${String(live)} live, above ${String(fence)}`);
      await plane.disarm(service, deployment);
      return {};
    }),
    remove: heard(async ({ service, fence }) => {
      await plane.remove(service, fence);
      return {};
    }),
    maintain: heard(async ({ service, close, ...maintenance }) => ({
      mode: await plane.maintain(service, maintenance, close),
    })),
    drain: ({ deadlineMs }) => {
      options.drain(deadlineMs);
      return {};
    },
  });
}
