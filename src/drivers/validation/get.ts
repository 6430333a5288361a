import { request } from "node:http";
import { request as requestSecurely } from "node:https";
import type { Clock, Milliseconds } from "../../model/time.ts";

/** As much of an answer as is read; what comes after is left. */
export const MOST_BODY = 1024 * 1024;

export type Got =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly type: string;
      /** At most {@link MOST_BODY} bytes. */
      readonly body: string;
      /** Whether there was more. */
      readonly cut: boolean;
      readonly tookMs: Milliseconds;
    }
  | { readonly kind: "none"; readonly reason: string; readonly tookMs: Milliseconds };

/**
 * One GET on a connection of its own, redirects not followed. Whatever goes wrong between here and the app is an outcome;
 * only the signal's reason is thrown.
 */
export async function get(
  url: URL,
  clock: Clock,
  signal: AbortSignal,
  more: Readonly<Record<string, string>> = {},
): Promise<Got> {
  signal.throwIfAborted();
  const began = clock.monotonic();
  const took = (): Milliseconds => clock.monotonic() - began;
  const done = Promise.withResolvers<Got>();
  // `agent: false`: an idle connection kept to an instance would hinder its graceful stop.
  const headers = { "user-agent": "teal-validation", accept: "*/*", ...more };
  const call = (url.protocol === "https:" ? requestSecurely : request)(url, { agent: false, signal, headers });
  const fail = (error: Error): void => {
    if (signal.aborted) done.reject(signal.reason as Error);
    else done.resolve({ kind: "none", reason: error.message, tookMs: took() });
  };
  call.once("error", fail);
  call.once("response", (answer) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (cut: boolean): void => {
      const body = Buffer.concat(chunks).subarray(0, MOST_BODY).toString("utf8");
      const type = answer.headers["content-type"] ?? "";
      done.resolve({ kind: "answer", status: answer.statusCode ?? 0, type, body, cut, tookMs: took() });
    };
    answer.once("error", fail);
    answer.once("end", () => {
      finish(false);
    });
    answer.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= MOST_BODY) return;
      finish(true);
      answer.destroy();
    });
  });
  call.end();
  return await done.promise;
}

/** The address of `path` at an instance. `path` may carry a query. */
export function at(baseUrl: string, path: string): URL {
  // A path such as `//host/x` must not name another host.
  const url = new URL(baseUrl);
  const [name = "", ...query] = path.split("?");
  url.pathname = name;
  url.search = query.join("?");
  return url;
}
