import { z } from "zod";
import { proxySettings } from "./shapes.ts";

/*
 * How one process of Teal starts another: one JSON document as its only argument. Read with {@link parseLaunch}; never
 * holds a secret, as arguments are public on a machine. Fields are only added, and optional: the process that starts
 * another may be of the version before.
 */

/** What a process of Teal is started with. */
export const program = z.object({
  /** Folder with the runtime bundles, absolute. */
  runtime: z.string(),
  /** The Node binary, absolute. */
  node: z.string(),
});
export type Program = z.output<typeof program>;

const listener = z.object({ listen: z.string(), address: z.string() });

export const keeperLaunch = z.object({
  /** State directory, absolute. */
  root: z.string(),
  /** Folder with the runtime bundles keeper.mjs, proxy.mjs, proxy-worker.mjs, server.mjs, store-worker.mjs. */
  runtime: z.string(),
  /** teal.yaml, absolute. */
  config: z.string(),
  /** Sockets that a proxy hands to the keeper that it starts after the old one's death: descriptor numbers in this process. */
  inherited: z.array(listener.extend({ fd: z.int() })),
  /** What the proxy was started with, as the next one has to be; from the proxy or the server that starts this keeper. */
  settings: proxySettings.optional(),
  /** Process id of the keeper whose place it takes, where the proxy has ended that as it hung. */
  afterHung: z.int().positive().optional(),
});
export type KeeperLaunch = z.output<typeof keeperLaunch>;

export const proxyLaunch = z.object({
  root: z.string(),
  runtime: z.string(),
  config: z.string(),
  workers: z.int().min(1),
  /**
   * For each address: one duplicate descriptor per worker, perhaps some more for workers that replace dead ones (a
   * worker's sockets die with it), and one spare to hand to a new keeper.
   */
  listeners: z.array(listener.extend({ fds: z.array(z.int()), spare: z.int() })),
  /** Silence of the controller, in ms, after which an unfinished shift is reverted; 15 s when absent. */
  controllerLossMs: z.number().positive().optional(),
  settings: proxySettings.prefault({}),
  /** Process id of the keeper that starts it: it may be dead before the proxy has asked it anything. */
  keeper: z.int().positive().optional(),
  /** Where a keeper is started from when the one from `runtime` does not come up: what ran before an upgrade. */
  previous: program.optional(),
});
export type ProxyLaunch = z.output<typeof proxyLaunch>;

export const serverLaunch = z.object({ root: z.string(), runtime: z.string(), config: z.string() });
export type ServerLaunch = z.output<typeof serverLaunch>;

/**
 * Flags of V8 for Teal's own processes but the data plane's workers, which have limits of their own. They make little
 * garbage: a young generation of 1 MiB instead of 16 saves 10 to 15 MiB of resident memory in each (measured with
 * `npm run bench -- overhead`).
 */
export const NODE_FLAGS: readonly string[] = ["--max-semi-space-size=1"];

/** The server makes much garbage when it has much to do: with 4 MiB it takes a quarter less processor time then. */
export const SERVER_FLAGS: readonly string[] = ["--max-semi-space-size=4"];

/**
 * The server's threads keep what they free in one heap of the C library (mallopt(3), M_ARENA_MAX) instead of one each:
 * saves 10 MiB of resident memory.
 */
export const SERVER_VARIABLES = { MALLOC_ARENA_MAX: "1" } as const;

/** @throws ZodError or SyntaxError: a process started by hand with wrong arguments. */
export function parseLaunch<T>(schema: z.ZodType<T>, argv: readonly string[]): T {
  return schema.parse(JSON.parse(argv[2] ?? "null"));
}
