import { type IncomingMessage, request as httpRequest, type RequestOptions } from "node:http";
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
 * Sends one request and answers with the head of its response; the body is still to be read.
 * node:http and not undici: it is in every Node already, and `teal status` has 200 ms in all.
 * @throws `server-down` when nobody answers, `forbidden` when the socket belongs to somebody else, the signal's reason
 */
export async function send(endpoint: Endpoint, call: HttpCall): Promise<IncomingMessage> {
  // TLS takes its time to load, and is for addresses far away alone.
  const secure = "url" in endpoint && endpoint.url.startsWith("https:");
  const request = secure ? (await import("node:https")).request : httpRequest;
  const payload = call.body === undefined ? undefined : JSON.stringify(call.body);
  return new Promise((resolve, reject) => {
    const outgoing = request({
      ...target(endpoint, call.path),
      method: call.method,
      agent: false,
      signal: call.signal,
      headers: {
        connection: "close",
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
      reject(sendError(cause, endpoint, call.signal));
    });
    outgoing.end(payload);
  });
}

function target(endpoint: Endpoint, path: string): RequestOptions {
  if ("socket" in endpoint) return { socketPath: endpoint.socket, path };
  const { protocol, hostname, port, path: asked } = urlToHttpOptions(new URL(path, endpoint.url));
  return { protocol, hostname, port, path: asked };
}

/** A failure of the connection as an error of the catalogue. */
function sendError(cause: unknown, endpoint: Endpoint, signal: AbortSignal): Error {
  if (signal.aborted) return toTealError(signal.reason);
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
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
