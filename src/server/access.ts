import { isIP } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Control } from "../engine/control.ts";
import { TealError } from "../model/error.ts";
import { covers, grants, type Token } from "../model/token.ts";
import { Attempts, FIRST_TOO_MANY } from "./attempts.ts";
import type { ServerInfo } from "./info.ts";
import { FILTERED, PERMISSIONS, routeOf } from "./permissions.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Who asks over TCP; null over the unix socket. */
    token: Token | null;
    /** Aborts when that token opens nothing any more. */
    tokenEnded: AbortSignal | null;
  }
}

/**
 * Over TCP every call needs a token with the permission for it, and comes by a name that is ours. Over the unix socket
 * whoever reaches it may do everything: only this user and root do.
 */
export function guardAccess(app: FastifyInstance, control: Control, info: ServerInfo): void {
  app.decorateRequest("token", null);
  app.decorateRequest("tokenEnded", null);
  if ((info.channel ?? "socket") === "socket") return;
  const attempts = new Attempts();
  app.addHook("onRequest", async (request, reply) => {
    checkOrigin(request, info.hosts ?? []);
    const route = routeOf(request.method, request.routeOptions.url);
    const permission = route === null ? "read" : PERMISSIONS[route];
    if (permission === null) return;
    const known = info.tokens.authenticate(bearerOf(request));
    if (known === null) throw refusal(request, reply, { attempts, info });
    request.token = known.token;
    request.tokenEnded = known.ended;
    if (!grants(known.token.role, permission))
      throw forbidden(known.token, `its role is ${known.token.role}, and this needs the permission to ${permission}`);
    if (route !== null && !FILTERED.has(route)) await checkService(request, known.token, control);
  });
}

/**
 * A page of a browser must not reach this port through a name that it made point here (DNS rebinding), nor with the help of
 * another origin. Addresses in digits cannot be made to point elsewhere.
 */
function checkOrigin(request: FastifyRequest, hosts: readonly string[]): void {
  const { host, origin } = request.headers;
  const name = hostName(host);
  const ours = name !== null && (isIP(name) !== 0 || name === "localhost" || hosts.includes(name));
  if (!ours) {
    throw new TealError("forbidden", `${host ?? "no Host"} is no name of this API`, {
      remedy: "Call it by address or as localhost, or add the name to server.hosts in teal.yaml.",
    });
  }
  if (origin !== undefined && origin !== `http://${host ?? ""}` && origin !== `https://${host ?? ""}`)
    throw new TealError("forbidden", "this API is not for pages of other origins");
}

/** Lower case, without port and brackets; null where it is no host (RFC 9110, section 7.2). */
function hostName(host: string | undefined): string | null {
  const [, v6, other] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host ?? "") ?? [];
  return (v6 ?? other)?.toLowerCase() ?? null;
}

/** RFC 6750, section 2.1; the empty text where there is none. */
function bearerOf(request: FastifyRequest): string {
  return /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
}

/** A valid token is never refused for the bad ones: otherwise anybody could keep the others of his address out. */
function refusal(
  request: FastifyRequest,
  reply: FastifyReply,
  { attempts, info }: { readonly attempts: Attempts; readonly info: ServerInfo },
): TealError {
  const { count, tooMany } = attempts.note(request.ip, performance.now());
  if (!tooMany) {
    reply.header("www-authenticate", 'Bearer realm="teal"');
    const why = request.headers.authorization === undefined ? "the call has no token" : "the token is not valid";
    return new TealError("unauthorized", why);
  }
  const problem = new TealError("too-many-attempts", `too many calls from ${request.ip} had no valid token`);
  if (count === FIRST_TOO_MANY)
    info.report?.(problem, { id: request.id, method: request.method, url: request.url.split("?")[0] ?? "" });
  reply.header("retry-after", "60");
  return problem;
}

/** @throws `forbidden` for what is not of the token's services, `deployment-unknown` */
async function checkService(request: FastifyRequest, token: Token, control: Control): Promise<void> {
  if (token.services === null) return;
  const { service, deployment } = request.params as { readonly service?: string; readonly deployment?: string };
  const about = deployment === undefined ? (service ?? null) : await serviceOfDeployment(deployment, control);
  if (covers(token, about)) return;
  const what = about === null ? "this is about all services" : `this is about ${about}`;
  throw forbidden(token, `it is for ${token.services.join(", ")}, and ${what}`);
}

async function serviceOfDeployment(id: string, control: Control): Promise<string> {
  return (await control.deployment(id)).deployment.service;
}

function forbidden({ name }: Token, why: string): TealError {
  return new TealError("forbidden", `the token ${name} may not do this: ${why}`);
}
