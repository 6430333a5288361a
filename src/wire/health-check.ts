import { connect } from "node:net";
import type { HealthSpec } from "../model/service.ts";
import { AnswerHead } from "./answer-head.ts";

/** refused: nothing listens. bad: it listens, and did not answer as it should. */
export type HealthAnswer =
  { readonly kind: "good" } | { readonly kind: "refused" } | { readonly kind: "bad"; readonly reason: string };

/** Filled by the kernel and looked at in the same turn, so one is enough for all checks. */
const shared = Buffer.allocUnsafeSlow(16_384);

/**
 * One GET of the health path, on a connection of its own: that the app takes new ones is part of what is asked. The body
 * is not read, and redirects are not followed. A socket by hand, as with thousands of instances it is asked hundreds of
 * times in a second, and a client of `node:http` takes twice the time. Rejects for nothing that an app does; an abort counts as a bad answer.
 * @param host an address, not a name
 */
export function checkHealth(
  { host, port }: { readonly host: string; readonly port: number },
  { path, status, timeoutMs }: Pick<HealthSpec, "path" | "status" | "timeoutMs">,
  signal: AbortSignal,
): Promise<HealthAnswer> {
  const badly = (what: string): HealthAnswer => ({ kind: "bad", reason: `GET ${path} ${what}` });
  if (signal.aborted) return Promise.resolve(badly("was given up"));
  if (/[^!-~]/.test(path)) return Promise.resolve(badly("cannot be asked: no URL has such characters"));
  return new Promise((resolve) => {
    const head = new AnswerHead();
    const socket = connect({
      host,
      port,
      onread: {
        buffer: shared,
        callback: (length) => {
          const answer = head.take(shared.toString("latin1", 0, length));
          if (answer === status) end({ kind: "good" });
          else if (answer === "malformed") bad("failed: the answer is not valid HTTP/1.1");
          else if (answer === "too-large") bad("failed: the head of the answer is too large");
          else if (answer !== "incomplete") bad(`answered ${String(answer)}, expected ${String(status)}`);
          return true;
        },
      },
    });
    const end = (answer: HealthAnswer): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      resolve(answer);
    };
    const bad = (what: string): void => {
      end(badly(what));
    };
    const onAbort = (): void => {
      bad("was given up");
    };
    const timer = setTimeout(() => {
      bad(`did not answer within ${String(timeoutMs)} ms`);
    }, timeoutMs);
    signal.addEventListener("abort", onAbort, { once: true });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") end({ kind: "refused" });
      else bad(`failed: ${error.message}`);
    });
    socket.once("end", () => {
      bad("failed: the connection ended before the head of the answer");
    });
    socket.write(requestOf(host, port, path), "latin1");
  });
}

function requestOf(host: string, port: number, path: string): string {
  const authority = `${host.includes(":") ? `[${host}]` : host}:${String(port)}`;
  return `GET ${path} HTTP/1.1\r\nHost: ${authority}\r\nUser-Agent: teal-health\r\nConnection: close\r\n\r\n`;
}
