/** Where a Teal server answers: its unix socket, or TCP with a token. */
export type Endpoint = { readonly socket: string } | { readonly url: string; readonly token: string };

/** The endpoint in words, for messages. */
export function endpointName(endpoint: Endpoint): string {
  return "socket" in endpoint ? endpoint.socket : endpoint.url;
}
