import { forwardedNode } from "./forwarded.ts";
import type { Peer } from "./types.ts";

/** Made once per connection: what the proxy says about who sent a request. `port`: the one of ours that it reached. */
export function peerOf(address: string, scheme: "http" | "https", isTrusted: boolean, port: number): Peer {
  const plainLines = `X-Forwarded-For: ${address}\r\nX-Forwarded-Proto: ${scheme}\r\nX-Forwarded-Port: ${String(port)}\r\n`;
  return { address, scheme, port, isTrusted, plainLines, forwardedFor: `for=${forwardedNode(address)}` };
}
