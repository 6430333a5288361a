import { TealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { PeerServer } from "../wire/connect.ts";
import { PROXY_PROTOCOL } from "../wire/proxy.ts";
import type { DataPlane } from "./data-plane.ts";

export interface ControlOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly plane: DataPlane;
  readonly epoch: string;
  readonly isDraining: () => boolean;
  /** Any message but `drain`: a controller is there. */
  readonly onSignOfLife: () => void;
  /** Begins to drain and returns; the process ends later. */
  readonly drain: (deadlineMs: Milliseconds) => void;
}

/** Answers PROXY_PROTOCOL: one line per call into the data plane. */
export function serveControl(options: ControlOptions): Promise<PeerServer<typeof PROXY_PROTOCOL>> {
  const { plane, epoch } = options;
  const heard = <P, R>(handler: (params: P) => R): ((params: P) => R) => {
    return (params) => {
      options.onSignOfLife();
      return handler(params);
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
    observe: heard(({ service }) => plane.observe(service)),
    apply: heard((table) => plane.apply(table)),
    revert: heard(async ({ service, deployment, because }) => ({
      split: await plane.revert(service, deployment, { cause: "revert", because }),
    })),
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
