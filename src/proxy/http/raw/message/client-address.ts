import { FIELD, valueOf } from "./field.ts";
import { nodeAddress, parseForwarded } from "./forwarded.ts";
import type { ForwardingRules, Peer, RequestHead } from "./types.ts";

/**
 * The address of who asked: of the hops that are told, the right-most that is no trusted proxy; the left-most when all
 * are. Where a trusted proxy names none, or something that is no address, the proxy itself is the nearest that is known.
 */
export function clientAddress(head: RequestHead, peer: Peer, rules: ForwardingRules): string {
  let client = peer.address;
  if (!peer.isTrusted) return client;
  for (const hop of toldHops(head, rules).toReversed()) {
    if (hop === null) return client;
    client = hop;
    if (!rules.isTrusted(hop)) return client;
  }
  return client;
}

/** Addresses, the client's first, null where one is hidden: of the field that is written, or else of the other. */
export function toldHops(head: RequestHead, { fields }: ForwardingRules): readonly (string | null)[] {
  const plain = valueOf(head, FIELD.xForwardedFor);
  const elements = valueOf(head, FIELD.forwarded);
  const isPlain = plain !== null && plain !== "" && (fields !== "rfc7239" || elements === null);
  if (isPlain) return plain.split(",").map(nodeAddress);
  if (elements === null) return [];
  // One that is not well-formed hides everybody behind it.
  return parseForwarded(elements)?.map((element) => nodeAddress(element.for ?? "")) ?? [null];
}
