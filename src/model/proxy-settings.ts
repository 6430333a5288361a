import type { Milliseconds } from "./time.ts";

/** Which fields tell an instance who asked: `x-forwarded` X-Forwarded-For, -Proto, -Host and -Port; `rfc7239` Forwarded. */
export const FORWARDED_FIELDS = ["x-forwarded", "rfc7239", "both", "none"] as const;
/** Whose well-formed X-Request-Id is kept. */
export const REQUEST_ID_RULES = ["keep", "keepTrusted", "replace"] as const;
/** What becomes of a request without a valid traceparent: it goes on without, or one is made. */
export const TRACEPARENT_RULES = ["pass", "create"] as const;
export const ACCESS_LOG_TARGETS = ["none", "file"] as const;

export interface ProxyTimeouts {
  /** From the first byte of a request to the end of its head. */
  readonly headMs: Milliseconds;
  /** Between two requests of a client's connection; announced to the client. */
  readonly idleMs: Milliseconds;
  /** Until a connection to an instance stands. */
  readonly connectMs: Milliseconds;
  /** From the request's last byte to the answer's first. */
  readonly responseMs: Milliseconds;
  /** Longest pause between two bytes of a request's body, while the instance takes them. */
  readonly bodyMs: Milliseconds;
  /** Longest time in which a side takes none of the bytes that wait for it. */
  readonly writeMs: Milliseconds;
  /** Longest time in which neither side of a WebSocket, or of another protocol after an upgrade, sends a byte. */
  readonly tunnelMs: Milliseconds;
}

export interface ProxyLimits {
  /** The whole head of a request in bytes; its target may have half of that. */
  readonly headBytes: number;
  readonly headFields: number;
  /** Body of a request in bytes; null: no limit. */
  readonly bodyBytes: number | null;
  /** Client connections of the whole proxy. */
  readonly connections: number;
}

export interface AccessLogSettings {
  readonly to: (typeof ACCESS_LOG_TARGETS)[number];
  /** Size at which a file is put aside. */
  readonly fileBytes: number;
  /** Files in all, the current one included. */
  readonly files: number;
}

/** `proxy` of teal.yaml but for the addresses: what one proxy is started with and has until it ends. */
export interface ProxySettings {
  /** Addresses (`192.0.2.1`) and networks (`2001:db8::/32`) whose word about who asked is taken. */
  readonly trustedProxies: readonly string[];
  readonly forwarded: (typeof FORWARDED_FIELDS)[number];
  readonly requestId: (typeof REQUEST_ID_RULES)[number];
  readonly traceparent: (typeof TRACEPARENT_RULES)[number];
  readonly timeouts: ProxyTimeouts;
  readonly limits: ProxyLimits;
  readonly accessLog: AccessLogSettings;
  /** Lines a minute about what was refused before it was a request of a service; 0: none. */
  readonly refusedLines: number;
}

/** What teal.yaml means by saying nothing, and what a record from before these settings means. */
export const DEFAULT_PROXY_SETTINGS: ProxySettings = {
  trustedProxies: ["127.0.0.0/8", "::1"],
  forwarded: "x-forwarded",
  requestId: "keep",
  traceparent: "pass",
  timeouts: {
    headMs: 30_000,
    idleMs: 65_000,
    connectMs: 2_000,
    responseMs: 60_000,
    bodyMs: 60_000,
    writeMs: 120_000,
    tunnelMs: 3_600_000,
  },
  limits: { headBytes: 32_768, headFields: 200, bodyBytes: null, connections: 50_000 },
  accessLog: { to: "none", fileBytes: 104_857_600, files: 5 },
  refusedLines: 10,
};
