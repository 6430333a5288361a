import type { FastifyRequest } from "fastify";
import type { Asker } from "../engine/control.ts";
import type { ServerInfo } from "./info.ts";

/** Printable, and no longer than a person's name on a line of the history. */
const USER = /^[\p{L}\p{N}][\p{L}\p{N}\p{P}\p{S} ]{0,127}$/u;

/**
 * Who asks. Node tells no peer credentials of a unix socket, so the CLI names its user in `Teal-User`: whoever reaches the
 * socket (0600) is that user or root anyhow, so the name is for the history and grants nothing. Over TCP it is the token.
 */
export function askerOf(
  request: Pick<FastifyRequest, "headers" | "token">,
  body: { readonly reason?: string | null | undefined },
  info: Pick<ServerInfo, "channel">,
): Asker {
  const key = request.headers["idempotency-key"];
  return {
    by:
      (info.channel ?? "socket") === "socket"
        ? userName(request.headers["teal-user"])
        : `token ${request.token?.name ?? "unknown"}`,
    reason: body.reason ?? null,
    idempotencyKey: typeof key === "string" ? key : null,
  };
}

function userName(header: string | string[] | undefined): string {
  return typeof header === "string" && USER.test(header) ? header : "local";
}
