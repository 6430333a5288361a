import { z } from "zod";
import { defineProtocol } from "./protocol.ts";
import { health, order, receipt, sample, split, traffic, weights } from "./shapes.ts";

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
});
export type LatchRecord = z.output<typeof latch>;

const observation = z.object({
  split: split.nullable(),
  armed: z.object({ deployment: z.string(), revertTo: weights }).nullable(),
  latched: z.array(latch),
  instances: z.array(z.object({ id: z.string(), environment: z.string(), healthy: z.boolean(), inFlight: z.int() })),
});

const nothing = z.object({});

/**
 * Server → proxy. Any message from the server is a sign of life; a server with nothing to say calls `ping` each second.
 * After 15 s of silence an armed deployment is reverted and latched (`traffic.onControllerLoss`).
 */
export const PROXY_PROTOCOL = defineProtocol({
  name: "proxy",
  versions: [1],
  calls: {
    ping: { params: nothing, result: z.object({ epoch: z.string(), pid: z.int(), draining: z.boolean() }) },
    observe: { params: z.object({ service: z.string() }), result: observation },
    /** Two-phase inside: every worker acknowledges the table, then one store makes it live. Refuses `fenced`, `latched`. */
    apply: { params: serviceTable, result: receipt },
    revert: {
      params: z.object({ service: z.string(), deployment: z.string() }),
      result: z.object({ split: split.nullable() }),
    },
    disarm: { params: z.object({ service: z.string(), deployment: z.string(), fence: z.int() }), result: nothing },
    remove: { params: z.object({ service: z.string(), fence: z.int() }), result: nothing },
    /** Holds new requests of the service in a bounded queue, or lets them go in order. */
    hold: { params: z.object({ service: z.string(), on: z.boolean() }), result: z.object({ held: z.int() }) },
    /** Takes no new connections, answers `Connection: close`, ends when the last one has gone or at the deadline. */
    drain: { params: z.object({ deadlineMs: z.number() }), result: nothing },
  },
  notices: {
    sample: z.object({ samples: z.array(sample) }),
    receipt,
    reverted: z.object({
      service: z.string(),
      deployment: z.string(),
      split,
      cause: z.enum(["revert", "controller-loss"]),
    }),
  },
});
export type ProxyProtocol = typeof PROXY_PROTOCOL;
