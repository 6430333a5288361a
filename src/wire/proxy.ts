import { z } from "zod";
import { MAINTENANCE_MODES } from "../model/maintenance.ts";
import { defineProtocol } from "./protocol.ts";
import {
  connections,
  health,
  maintenanceOrder,
  order,
  receipt,
  rollbackCause,
  sample,
  split,
  traffic,
  weights,
} from "./shapes.ts";

const backend = z.object({
  environment: z.string(),
  release: z.string(),
  instances: z.array(z.object({ id: z.string(), address: z.string() })),
  /** How these instances are checked; absent: as the table says. */
  health: health.optional(),
});

/** What the data plane knows of a service; also what its snapshot holds. */
export const serviceTable = order.extend({
  service: z.string(),
  deployment: z.string().nullable(),
  weights,
  backends: z.array(backend),
  revertTo: weights.nullable(),
  traffic,
  health,
});
export type ServiceTable = z.output<typeof serviceTable>;

export const latch = z.object({
  deployment: z.string(),
  fence: z.int(),
  at: z.number(),
  cause: z.enum(["revert", "controller-loss"]),
  /** Why, in the words of who asked for it; of the newest of a service alone. Older ends do not tell. */
  because: rollbackCause.optional(),
});
export type LatchRecord = z.output<typeof latch>;

/** What the data plane knows of a service's maintenance; a newer one by (fence, revision) replaces it as a whole. */
export const serviceMaintenance = z.object({
  fence: z.int().min(0),
  revision: z.int().min(0),
  order: maintenanceOrder,
});
export type ServiceMaintenance = z.output<typeof serviceMaintenance>;

const instance = z.object({ id: z.string(), environment: z.string(), healthy: z.boolean() });

/** An observation but for what is in flight, which changes with each request. */
const toldObservation = z.object({
  split: split.nullable(),
  armed: z.object({ deployment: z.string(), revertTo: weights }).nullable(),
  latched: z.array(latch),
  instances: z.array(instance),
  // Older proxies have none.
  maintenance: z.enum(MAINTENANCE_MODES).default("off"),
});

const observation = toldObservation.extend({ instances: z.array(instance.extend({ inFlight: z.int() })) });

const nothing = z.object({});

/**
 * Server → proxy. Any message from the server is a sign of life; a server with nothing to say calls `ping` each second.
 * After 15 s of silence an armed deployment is reverted and latched (`traffic.onControllerLoss`).
 */
export const PROXY_PROTOCOL = defineProtocol({
  name: "proxy",
  versions: [3, 2, 1],
  calls: {
    ping: {
      params: nothing,
      result: z.object({
        epoch: z.string(),
        pid: z.int(),
        draining: z.boolean(),
        /** The longest `traffic.longLived` of its services, in ms; older proxies do not tell. */
        longLivedMs: z.number().optional(),
      }),
    },
    /** From version 2 on. The services that it knows: for whoever has nothing but the proxy to ask. */
    services: { params: nothing, result: z.object({ services: z.array(z.string()) }) },
    /** `follow`, from version 3 on: `observed` comes first, and again whenever it changes, until this connection ends. */
    observe: { params: z.object({ service: z.string(), follow: z.boolean().optional() }), result: observation },
    /** Two-phase inside: every worker acknowledges the table, then one store makes it live. Refuses `fenced`, `latched`. */
    apply: { params: serviceTable, result: receipt },
    revert: {
      params: z.object({
        service: z.string(),
        deployment: z.string(),
        /** For the record of a server that is not there now. */
        because: rollbackCause.optional(),
        /** Longest that the answer waits until a power cut cannot undo it; the flip never waits. Older proxies do not. */
        durableWithinMs: z.number().min(0).max(60_000).optional(),
      }),
      result: z.object({
        split: split.nullable(),
        /** Where `durableWithinMs` was given; neither a proxy that drains, as its snapshot is another's, nor an older one tells. */
        durable: z.boolean().optional(),
      }),
    },
    disarm: { params: z.object({ service: z.string(), deployment: z.string(), fence: z.int() }), result: nothing },
    remove: { params: z.object({ service: z.string(), fence: z.int() }), result: nothing },
    /**
     * What becomes of the service's requests from now on, until something newer; the snapshot keeps it. Two-phase as
     * `apply`. `close` ends its WebSockets and event streams, once. Refuses `fenced`. Proxies of 0.1.0 do not know it.
     */
    maintain: {
      params: serviceMaintenance.extend({ service: z.string(), close: z.boolean() }),
      result: z.object({ mode: z.enum(MAINTENANCE_MODES) }),
    },
    /** Takes no new connections, answers `Connection: close`, ends when the last one has gone or at the deadline. */
    drain: { params: z.object({ deadlineMs: z.number() }), result: nothing },
  },
  notices: {
    /** Without services there are no samples. Older proxies do not tell connections. */
    sample: z.object({ samples: z.array(sample), connections: connections.optional() }),
    receipt,
    /** Of a service that this connection follows: as it is now. It comes before the answer of the call that changed it. */
    observed: z.object({ service: z.string(), observation: toldObservation }),
    reverted: z.object({
      service: z.string(),
      deployment: z.string(),
      split,
      cause: z.enum(["revert", "controller-loss"]),
    }),
  },
});
export type ProxyProtocol = typeof PROXY_PROTOCOL;
