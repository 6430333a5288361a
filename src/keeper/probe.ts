import { get } from "node:http";
import type { HealthSpec } from "../model/service.ts";

/** refused: nothing listens. bad: it listens, and did not answer as it should. */
export type ProbeResult =
  { readonly kind: "good" } | { readonly kind: "refused" } | { readonly kind: "bad"; readonly reason: string };

/** One GET of the health path on 127.0.0.1. Redirects are not followed. Never rejects; an abort counts as a bad answer. */
export function probe(port: number, health: HealthSpec, signal: AbortSignal): Promise<ProbeResult> {
  const { path, status, timeoutMs } = health;
  return new Promise((resolve) => {
    const deadline = AbortSignal.timeout(timeoutMs);
    const request = get({
      host: "127.0.0.1",
      port,
      path,
      agent: false,
      headers: { "user-agent": "teal-health", connection: "close" },
      signal: AbortSignal.any([signal, deadline]),
    });
    request.once("response", (response) => {
      response.destroy();
      if (response.statusCode === status) resolve({ kind: "good" });
      else
        resolve({
          kind: "bad",
          reason: `GET ${path} answered ${String(response.statusCode)}, expected ${String(status)}`,
        });
    });
    request.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") resolve({ kind: "refused" });
      else if (deadline.aborted)
        resolve({ kind: "bad", reason: `GET ${path} did not answer within ${String(timeoutMs)} ms` });
      else resolve({ kind: "bad", reason: `GET ${path} failed: ${error.message}` });
    });
  });
}
