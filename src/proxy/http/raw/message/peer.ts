import type { Peer } from "./types.ts";

/** Made once per connection: what the proxy says about who sent a request. */
export function peerOf(address: string, scheme: "http" | "https", isTrusted: boolean): Peer {
  // RFC 7239, 6: an IPv6 address stands in brackets and quotes.
  const node = address.includes(":") ? `"[${address}]"` : address;
  return { address, scheme, isTrusted, forwardedFor: `for=${/^[0-9A-Fa-f:.]+$/.test(address) ? node : "unknown"}` };
}
