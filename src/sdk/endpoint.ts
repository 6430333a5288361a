import { TealError } from "../model/error.ts";

/** Where a Teal server answers: its unix socket, or TCP with a token. */
export type Endpoint = { readonly socket: string } | { readonly url: string; readonly token: string };

/** The endpoint in words, for messages. */
export function endpointName(endpoint: Endpoint): string {
  return "socket" in endpoint ? endpoint.socket : endpoint.url;
}

/**
 * The API over TCP at an address such as `https://teal.example.com`.
 * @throws `usage` for what is no such address, `unauthorized` without a token
 */
export function remoteEndpoint(text: string, token: string): Endpoint {
  const url = URL.parse(text);
  const plain = url?.pathname === "/" && url.search === "" && url.hash === "" && url.username === "";
  if (url === null || !plain || !["http:", "https:"].includes(url.protocol)) {
    throw new TealError("usage", `${text} is no address of an API`, {
      remedy: "Write it as http://127.0.0.1:8325 or https://teal.example.com, without a path.",
    });
  }
  if (token === "")
    throw new TealError("unauthorized", `TEAL_TOKEN is not set, and ${url.origin} answers nobody without one`);
  if (!/^[\x21-\x7e]+$/.test(token)) throw new TealError("unauthorized", "TEAL_TOKEN holds no token");
  return { url: url.origin, token };
}
