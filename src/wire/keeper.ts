import { z } from "zod";
import { defineProtocol } from "./protocol.ts";
import { program } from "./launch.ts";
import { health, proxySettings } from "./shapes.ts";

/** How to run one instance. `variables` is the whole environment of the child but for PORT, which the keeper draws. */
export const instanceSpec = z.object({
  id: z.string(),
  service: z.string(),
  environment: z.string(),
  release: z.string(),
  ordinal: z.int().min(0),
  /** argv; a shell command comes as ["/bin/sh", "-c", "exec …"]. */
  command: z.array(z.string()).min(1),
  directory: z.string(),
  variables: z.record(z.string(), z.string()),
  user: z.string().nullable(),
  stop: z.object({ signal: z.string(), timeoutMs: z.number() }),
  health,
});
export type InstanceSpec = z.output<typeof instanceSpec>;

export const instanceStatus = z.object({
  id: z.string(),
  service: z.string(),
  environment: z.string(),
  release: z.string(),
  ordinal: z.int(),
  state: z.enum(["starting", "ready", "backoff", "crash-loop", "failed", "stopping", "stopped"]),
  /** A code of the error catalogue for `failed` and `crash-loop`, or null. */
  code: z.string().nullable(),
  address: z.string().nullable(),
  pid: z.int().nullable(),
  restarts: z.int(),
  reason: z.string().nullable(),
  startedAt: z.number().nullable(),
});
export type InstanceReport = z.output<typeof instanceStatus>;

const proxyProcess = z.object({
  pid: z.int(),
  socket: z.string(),
  draining: z.boolean(),
  startedAt: z.number(),
  /** Folder of the bundles that it runs from; keepers of version 1 do not tell. */
  runtime: z.string().optional(),
});

const nothing = z.object({});

/** From this version of the protocol on, a keeper can replace Teal's processes by those of another version. */
export const KEEPER_REPLACES = 2;
/** From this version on, server and proxy say which of them a connection is, and the keeper asks them whether they are well. */
export const KEEPER_PINGS = 3;

/** Server, CLI and proxy → keeper. Every call is idempotent. */
export const KEEPER_PROTOCOL = defineProtocol({
  name: "keeper",
  versions: [KEEPER_PINGS, KEEPER_REPLACES, 1],
  calls: {
    status: {
      params: nothing,
      result: z.object({
        pid: z.int(),
        runtime: z.string(),
        /** The Node binary that it was started with; may have been removed since. Version 1 does not tell. */
        node: z.string().optional(),
        /** The keeper whose place it took, if that hung. */
        afterHung: z.int().nullable().optional(),
        listeners: z.array(z.object({ listen: z.string(), address: z.string() })),
        proxies: z.array(proxyProcess),
        /** `cannotRun`: it ended by saying that it cannot run as things are; server.log says why. It is tried again later. */
        server: z.object({
          pid: z.int().nullable(),
          restarts: z.int(),
          cannotRun: z.boolean(),
          /** As for a proxy. */
          runtime: z.string().optional(),
          /** Servers that this keeper has ended as they hung; before version 3 it does not tell. */
          hangs: z.int().optional(),
          /** The one whose place this server took, if that hung. */
          afterHung: z.int().nullable().optional(),
        }),
      }),
    },
    /**
     * Binds what is not bound yet, lets go of the rest, and has a proxy on exactly these, with these settings: another one
     * where the present one has others. Port 0 draws a free one. Absent settings: as they are.
     */
    "listeners.ensure": {
      params: z.object({ listen: z.array(z.string()), settings: proxySettings.optional() }),
      result: z.object({
        listeners: z.array(z.object({ listen: z.string(), address: z.string() })),
        proxies: z.array(proxyProcess),
      }),
    },
    /** Starts the instances that do not run; one that runs under the same id is left as it is, whatever the spec says. */
    "instances.start": {
      params: z.object({ instances: z.array(instanceSpec) }),
      result: z.object({ instances: z.array(instanceStatus) }),
    },
    /** Signal, timeout, SIGKILL to the process group; answers when all have ended, and forgets them. */
    "instances.stop": { params: z.object({ ids: z.array(z.string()) }), result: nothing },
    "instances.list": { params: nothing, result: z.object({ instances: z.array(instanceStatus) }) },
    /**
     * The three parts of an upgrade of Teal, each from version 2 on. A proxy from the program accepts on the same sockets
     * before the one that served begins to drain; when it does not come up, the old one goes on and the call fails.
     */
    "proxy.replace": { params: program, result: nothing },
    /** Ends the server and starts one from the program; when that does not answer, the old program is started again. */
    "server.replace": { params: program, result: nothing },
    /**
     * The keeper records everything and leaves. The serving proxy starts the next one, from its own program, which must be
     * this one; when that does not come up, from the program that ran before. Apps and traffic go on meanwhile.
     */
    "keeper.replace": { params: program, result: nothing },
    /** From version 3 on. The caller is the server or a proxy, and answers `ping` on this connection from now on. */
    present: { params: z.object({ pid: z.int().positive() }), result: nothing },
    /** From version 3 on, and either way: whether the event loop of the other end turns. It touches no disk. */
    ping: { params: nothing, result: nothing },
    /** Drains the proxy, stops all instances, the server and the proxy, and then the keeper itself. */
    down: { params: z.object({ drainMs: z.number() }), result: nothing },
  },
  notices: {
    instance: instanceStatus,
    proxies: z.object({ proxies: z.array(proxyProcess) }),
  },
});
export type KeeperProtocol = typeof KEEPER_PROTOCOL;
