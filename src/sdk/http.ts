import { Agent, type IncomingMessage, request as httpRequest, type RequestOptions } from "node:http";
import { urlToHttpOptions } from "node:url";
import { TealError, toTealError } from "../model/error.ts";
import { type Endpoint, endpointName } from "./endpoint.ts";

export interface HttpCall {
  readonly method: "GET" | "POST";
  /** Path with its query. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** What connecting fails with when nobody serves: no socket file, nobody behind it, or nobody at the port. */
const NOBODY = new Set(["ENOENT", "ECONNREFUSED", "ENOTSOCK"]);
/** A server that went away in mid-call: it is restarted by the keeper, so the same may work again. */
const GONE = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED"]);

/**
 * Connections to ask again on: a server that is busy takes one new connection in each turn of its event loop, and who asks
 * often would wait for that longer than for the answer. Idle ones keep no process running.
 */
const connections = new Agent({ keepAlive: true });

/** The server had closed the idle connection that was used again, and has not seen the request (RFC 9112 section 9.3.1). */
class StaleConnection extends Error {}

/**
 * Sends one request and answers with the head of its response; the body is still to be read.
 * node:http and not undici: it is in every Node already, and `teal status` has 200 ms in all.
 * @throws `server-down` when nobody answers, `forbidden` when the socket belongs to somebody else, the signal's reason
 */
export async function send(endpoint: Endpoint, call: HttpCall): Promise<IncomingMessage> {
  // TLS takes its time to load, and is for addresses far away alone.
  const secure = "url" in endpoint && endpoint.url.startsWith("https:");
  const request = secure ? (await import("node:https")).request : httpRequest;
  // What changes something has a connection of its own: it is never unclear whether that was stale.
  const agent = !secure && call.method === "GET" ? connections : false;
  try {
    return await attempt(request, agent, endpoint, call);
  } catch (thrown) {
    if (thrown instanceof StaleConnection) return attempt(request, false, endpoint, call);
    throw thrown;
  }
}

function attempt(
  request: typeof httpRequest,
  agent: Agent | false,
  endpoint: Endpoint,
  call: HttpCall,
): Promise<IncomingMessage> {
  const payload = call.body === undefined ? undefined : JSON.stringify(call.body);
  return new Promise((resolve, reject) => {
    const outgoing = request({
      ...target(endpoint, call.path),
      method: call.method,
      agent,
      signal: call.signal,
      headers: {
        ...(agent === false ? { connection: "close" } : {}),
        ...("token" in endpoint ? { authorization: `Bearer ${endpoint.token}` } : { host: "localhost" }),
        ...(payload === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(payload) }),
        ...call.headers,
      },
    });
    outgoing.once("response", resolve);
    // Not `once`: a socket may fail again after the response began, and an unhandled "error" would end the process.
    outgoing.on("error", (cause) => {
      const isStale = outgoing.reusedSocket && !call.signal.aborted && GONE.has(codeOf(cause));
      reject(isStale ? new StaleConnection() : sendError(cause, endpoint, call.signal));
    });
    outgoing.end(payload);
  });
}

function target(endpoint: Endpoint, path: string): RequestOptions {
  if ("socket" in endpoint) return { socketPath: endpoint.socket, path };
  const { protocol, hostname, port, path: asked } = urlToHttpOptions(new URL(path, endpoint.url));
  return { protocol, hostname, port, path: asked };
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "";
}

/** A failure of the connection as an error of the catalogue. */
function sendError(cause: unknown, endpoint: Endpoint, signal: AbortSignal): Error {
  if (signal.aborted) return toTealError(signal.reason);
  const code = codeOf(cause);
  const name = endpointName(endpoint);
  if (NOBODY.has(code)) return new TealError("server-down", `nobody answers at ${name}`, { cause });
  if (GONE.has(code)) {
    return new TealError("server-down", `the server at ${name} went away before it had answered`, {
      cause,
      remedy: "The keeper starts it again by itself; run the command again in a moment.",
    });
  }
  if (code === "EACCES") return new TealError("forbidden", `${name} belongs to another user`, { cause });
  return toTealError(cause);
}

/** Reads a body of text to its end. */
export async function readText(response: IncomingMessage, endpoint: Endpoint, signal: AbortSignal): Promise<string> {
  response.setEncoding("utf8");
  let text = "";
  try {
    for await (const chunk of response) text += String(chunk);
  } catch (cause) {
    throw sendError(cause, endpoint, signal);
  }
  return text;
}
