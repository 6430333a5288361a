import type { Store } from "./store.ts";

export type StoreMethod = keyof Store;

const READ_METHODS = [
  "services",
  "service",
  "environments",
  "outline",
  "release",
  "releases",
  "deployment",
  "withKey",
  "abortedWithKey",
  "plan",
  "steps",
  "unfinished",
  "changes",
  "history",
  "approval",
  "retirements",
  "maintenance",
  "tokens",
  "receipts",
  "events",
  "eventsOf",
  "lastSeq",
  "series",
  "lastSeries",
] as const satisfies readonly StoreMethod[];

/** Those that write nothing: what was asked before the first write need not wait for it. */
export const READS: ReadonlySet<StoreMethod> = new Set<StoreMethod>(READ_METHODS);

/** All others. */
export type StoreWrite = Exclude<StoreMethod, (typeof READ_METHODS)[number] | "close">;

/** The same store, answering at once: what runs inside a store's thread. */
export type SyncStore = {
  readonly [M in StoreMethod]: (...values: Parameters<Store[M]>) => Awaited<ReturnType<Store[M]>>;
};

/** Carries one call to a store that is elsewhere. */
export type StoreCall = <M extends StoreMethod>(method: M, values: Parameters<Store[M]>) => ReturnType<Store[M]>;

/** A store whose every method goes through `call`. */
export function storeThrough(call: StoreCall): Store {
  return {
    claim: (...values) => call("claim", values),
    services: (...values) => call("services", values),
    service: (...values) => call("service", values),
    environments: (...values) => call("environments", values),
    outline: (...values) => call("outline", values),
    release: (...values) => call("release", values),
    releases: (...values) => call("releases", values),
    removeRelease: (...values) => call("removeRelease", values),
    accept: (...values) => call("accept", values),
    transition: (...values) => call("transition", values),
    deployment: (...values) => call("deployment", values),
    withKey: (...values) => call("withKey", values),
    rememberAbort: (...values) => call("rememberAbort", values),
    abortedWithKey: (...values) => call("abortedWithKey", values),
    plan: (...values) => call("plan", values),
    steps: (...values) => call("steps", values),
    unfinished: (...values) => call("unfinished", values),
    changes: (...values) => call("changes", values),
    history: (...values) => call("history", values),
    approve: (...values) => call("approve", values),
    approval: (...values) => call("approval", values),
    retirements: (...values) => call("retirements", values),
    maintenance: (...values) => call("maintenance", values),
    tokens: (...values) => call("tokens", values),
    addToken: (...values) => call("addToken", values),
    removeToken: (...values) => call("removeToken", values),
    markTokenUsed: (...values) => call("markTokenUsed", values),
    receipts: (...values) => call("receipts", values),
    putReceipt: (...values) => call("putReceipt", values),
    append: (...values) => call("append", values),
    events: (...values) => call("events", values),
    eventsOf: (...values) => call("eventsOf", values),
    lastSeq: (...values) => call("lastSeq", values),
    putSeries: (...values) => call("putSeries", values),
    series: (...values) => call("series", values),
    lastSeries: (...values) => call("lastSeries", values),
    prune: (...values) => call("prune", values),
    close: (...values) => call("close", values),
  };
}
