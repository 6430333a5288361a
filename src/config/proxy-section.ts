import { z } from "zod";
import {
  ACCESS_LOG_TARGETS,
  FORWARDED_FIELDS,
  type ProxySettings,
  REQUEST_ID_RULES,
  TRACEPARENT_RULES,
} from "../model/proxy-settings.ts";
import { bindable, listenAddress } from "./listen.ts";
import { map } from "./map.ts";
import { network } from "./networks.ts";
import { duration, size } from "./quantities.ts";
import { distinct } from "./rule.ts";
import { integer, oneOf } from "./texts.ts";

/** More than the networks of any large provider; all of them are an argument of a process. */
const MOST_NETWORKS = 500;

const timeouts = map({
  head: duration("100ms", "1h")
    .meta({ description: "From the first byte of a request to the end of its head; then 408." })
    .prefault("30s"),
  idle: duration("1s", "1d")
    .meta({
      description:
        "Time that a client's connection may be idle between two requests, in whole seconds. It is announced to the client, and closed a second later.",
    })
    .prefault("65s"),
  connect: duration("10ms", "1m")
    .meta({ description: "Until a connection to an instance stands; then another instance is tried." })
    .prefault("2s"),
  response: duration("100ms", "1d")
    .meta({ description: "From the last byte of a request to the first of its answer; then 504." })
    .prefault("60s"),
  body: duration("100ms", "1d")
    .meta({ description: "Longest pause between two bytes of a request's body; then 408." })
    .prefault("60s"),
  write: duration("1s", "1d")
    .meta({ description: "Longest time in which a client, or an instance, takes none of the bytes that wait for it." })
    .prefault("2m"),
  tunnel: duration("1s", "30d")
    .meta({
      description:
        "Longest time in which neither side of a WebSocket, or of another protocol after an upgrade, sends a byte; then its connections are closed. A ping of either side counts.",
    })
    .prefault("1h"),
})
  .transform(({ head, idle, connect, response, body, write, tunnel }) => ({
    headMs: head,
    idleMs: Math.max(1_000, Math.floor(idle / 1_000) * 1_000),
    connectMs: connect,
    responseMs: response,
    bodyMs: body,
    writeMs: write,
    tunnelMs: tunnel,
  }))
  .meta({ description: "How long clients and instances may take." });

const limits = map({
  headBytes: size("16KiB", "64KiB")
    .meta({
      description: "The head of a request; above: 431. Its first line may have half of that; above: 414.",
    })
    .prefault("32KiB"),
  headFields: integer(20, 1_000).meta({ description: "Fields in the head of a request; above: 431." }).prefault(200),
  bodyBytes: size("0B", "1TiB", "none")
    .meta({ description: "Body of a request; above: 413. `none`: the service decides.", examples: ["10MiB"] })
    .prefault("none"),
  connections: integer(10, 1_000_000)
    .meta({
      description: "Connections of clients, over all workers; more are closed as they come. Each is a descriptor, too.",
    })
    .prefault(50_000),
}).meta({ description: "How large requests may be, and how many connections." });

const accessLog = map({
  to: oneOf(ACCESS_LOG_TARGETS, "choice")
    .meta({ description: "`file`: one line of JSON for each request, in `.teal/logs/access.log`." })
    .prefault("none"),
  fileBytes: size("1MiB", "100GiB")
    .meta({ description: "The file is put aside as `access.log.1` before it grows above this." })
    .prefault("100MiB"),
  files: integer(2, 100).meta({ description: "Files in all, the current one included." }).prefault(5),
}).meta({ description: "A line for each request. See docs/operations.md for its fields." });

/** `proxy`: its addresses, and what it is started with. */
export const proxySection = map({
  listen: z
    .array(listenAddress)
    .min(1)
    .check(bindable)
    .meta({
      description: "Addresses that the proxy listens on: numeric, with a port. Port 0 takes a free one.",
      examples: [["127.0.0.1:8080", "[::1]:8080"]],
    })
    .prefault(["127.0.0.1:8080"]),
  trustedProxies: z
    .array(network)
    .max(MOST_NETWORKS)
    .check(distinct)
    .meta({
      description:
        "Addresses and networks of the proxies in front of Teal. What they say of who asked is continued; anybody else's X-Forwarded-… and Forwarded are replaced. `[]` trusts nobody.",
      examples: [["127.0.0.0/8", "::1", "10.0.0.0/8"]],
    })
    .prefault(["127.0.0.0/8", "::1"]),
  forwarded: oneOf(FORWARDED_FIELDS, "choice")
    .meta({
      description:
        "Fields that tell the service who asked: X-Forwarded-For, -Proto, -Host and -Port; or Forwarded (RFC 7239); or both; or none.",
    })
    .prefault("x-forwarded"),
  requestId: oneOf(REQUEST_ID_RULES, "choice")
    .meta({
      description:
        "X-Request-Id: keep a client's when it has 1 to 128 visible ASCII characters, keep only that of a trusted proxy, or always replace it. Where none is kept a new one is made.",
    })
    .prefault("keep"),
  traceparent: oneOf(TRACEPARENT_RULES, "choice")
    .meta({
      description:
        "W3C Trace Context: a valid traceparent passes as it came, an invalid one is taken out together with tracestate. `create`: where there is none, one is made, marked as sampled.",
    })
    .prefault("pass"),
  timeouts: timeouts.prefault({}),
  limits: limits.prefault({}),
  accessLog: accessLog.prefault({}),
  refusedLines: integer(0, 6_000)
    .meta({
      description:
        "Lines a minute, at most, in `.teal/logs/proxy.log` about what was refused before it was a request of a service. `0`: none. It is counted in any case.",
    })
    .prefault(10),
})
  .transform(({ listen, ...settings }): { readonly listen: readonly string[]; readonly settings: ProxySettings } => ({
    listen,
    settings,
  }))
  .meta({ description: "The proxy in front of all services. Read when Teal starts, not at a deploy." });
