import type { AffinitySpec } from "../model/service.ts";
import type { Weights } from "../model/traffic.ts";
import type { ServiceTable } from "../wire/proxy.ts";
import type { RequestFacts } from "./http/engine.ts";

/** How a service's clients keep to a side of the split. */
export interface Affinity {
  readonly by: AffinitySpec;
  /** What the points of clients depend on beside their keys. */
  readonly seed: number;
}

/**
 * The seed is of the service and the releases that share its traffic: the same throughout a deployment, through upkeep,
 * restarts and changes of the split by hand, and another with the next release, so that it is not always the same users
 * who are the first on a new version.
 */
export function affinityOf(
  table: Pick<ServiceTable, "service" | "backends" | "traffic">,
  weights: Weights,
): Affinity | null {
  const { affinity } = table.traffic;
  if (affinity === undefined) return null;
  const sharing = table.backends
    .filter(({ environment }) => (weights[environment] ?? 0) > 0)
    .map(({ environment, release }) => `${environment}=${release}`)
    .toSorted();
  return { by: affinity, seed: fnv1a([table.service, ...sharing].join("\n"), FNV_OFFSET) };
}

/** What the request says of whose it is; null: nothing, so that it is drawn by weight. Call it while the head is there. */
export function affinityKey(by: AffinitySpec, facts: Pick<RequestFacts, "field" | "client">): string | null {
  const key =
    by === "clientAddress" ? facts.client?.() : "header" in by ? facts.field?.(by.header) : cookie(facts, by.cookie);
  return key === undefined || key === "" ? null : key;
}

/** RFC 6265, 5.4: `name=value` pairs with semicolons between them; of several with one name, the first. */
function cookie(facts: Pick<RequestFacts, "field">, name: string): string | undefined {
  const field = facts.field?.("cookie") ?? "";
  for (const pair of field.split(";")) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The point of [0, 1) that belongs to a key: evenly spread, in steps of 2⁻³², about 0.1 µs for a session's name. */
export function pointOf(key: string, seed: number): number {
  return mixed(fnv1a(key, seed)) / 2 ** 32;
}

/** FNV-1a (Fowler, Noll, Vo; 32 bits) over UTF-16 units, going on from `state`. */
function fnv1a(text: string, state: number): number {
  let hash = state;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), FNV_PRIME);
  return hash >>> 0;
}

/** MurmurHash3's finalizer (fmix32, Appleby): every bit of the key comes to depend on all, which FNV's high bits do not. */
export function mixed(hash: number): number {
  let bits = hash ^ (hash >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
