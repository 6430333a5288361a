import { isIP } from "node:net";
import { TealError } from "../model/error.ts";

export interface ListenAddress {
  /** Numeric. */
  readonly host: string;
  readonly port: number;
}

/**
 * Reads an entry of `proxy.listen`: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, `:8080` or `8080` (all addresses).
 * @throws `config-invalid`
 */
export function parseListen(listen: string): ListenAddress {
  const match = /^(?:(?<host>\[[^\]]+\]|[^:]*):)?(?<port>\d{1,5})$/.exec(listen);
  const host = numericHost(match?.groups?.["host"] ?? "");
  const port = Number(match?.groups?.["port"]);
  if (match === null || host === null || port > 65_535) {
    throw new TealError(
      "config-invalid",
      `proxy.listen: ${listen} is not an address such as 127.0.0.1:8080 or [::1]:8080`,
    );
  }
  return { host, port };
}

function numericHost(host: string): string | null {
  if (host === "" || host === "*") return "0.0.0.0";
  if (host === "localhost") return "127.0.0.1";
  const bare = host.startsWith("[") ? host.slice(1, -1) : host;
  return isIP(bare) === 0 ? null : bare;
}

/** `host:port`, with brackets around an IPv6 host. */
export function printAddress({ host, port }: ListenAddress): string {
  return `${host.includes(":") ? `[${host}]` : host}:${String(port)}`;
}
