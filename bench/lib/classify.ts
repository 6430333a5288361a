import { createHash } from "node:crypto";
import type { Exchange } from "./exchange.ts";
import type { LostReason, Outcome } from "./outcome.ts";
import type { RequestWish } from "./wish.ts";

const REFUSALS = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOENT"]);
/** Limits of the machine that the generator runs on: they say nothing about the other side. */
const OWN_LIMITS = new Set(["EMFILE", "ENFILE", "EADDRNOTAVAIL", "ENOBUFS"]);

/** The judgement on one request, by the definition of "lost" in the contracts. */
export function classify(wish: RequestWish, exchange: Exchange): Outcome {
  switch (exchange.kind) {
    case "cancelled":
      return { kind: "cancelled" };
    case "timeout":
      if (exchange.phase === "queued") return { kind: "skipped", detail: "no connection was free in time" };
      return lost("timeout", `no whole answer in time, while ${exchange.phase}`);
    case "error":
      return judgeError(exchange);
    case "answer":
      return judgeAnswer(wish, exchange);
    default:
      return exchange satisfies never;
  }
}

function lost(reason: LostReason, detail: string): Outcome {
  return { kind: "lost", reason, detail };
}

function judgeError({ code, phase, staleConnection }: Extract<Exchange, { kind: "error" }>): Outcome {
  if (OWN_LIMITS.has(code) || phase === "queued") return { kind: "skipped", detail: code };
  if (phase === "connecting" && REFUSALS.has(code)) return lost("refused", code);
  // What is no HTTP at all.
  if (code.startsWith("HPE_")) return lost("wrong-body", code);
  if (staleConnection) return { kind: "idle-race" };
  return lost("reset", `${code} while ${phase}`);
}

function judgeAnswer(wish: RequestWish, answer: Extract<Exchange, { kind: "answer" }>): Outcome {
  const { status, headers, body } = answer;
  const tealError = headers["teal-error"];
  if (tealError !== undefined) return lost("teal-error", `${String(status)} ${String(tealError)}`);
  if (!answer.complete) return lost("truncated", `after ${String(body.length)} bytes of a ${String(status)}`);
  const version = headers["x-version"];
  if (typeof version !== "string") return lost("wrong-body", `a ${String(status)} that is not the app's`);
  if (headers["x-digest"] !== sha256(body)) return lost("wrong-body", "its digest is another");
  const said = parse(body);
  if (said?.["id"] !== wish.id) return lost("wrong-body", `it answers ${String(said?.["id"])}, not ${wish.id}`);
  if (status >= 500) return { kind: "failed", version, status };
  if (status !== 200) return lost("wrong-body", `status ${String(status)}`);
  if (wish.body !== null) {
    if (said["digest"] !== sha256(wish.body)) return lost("wrong-body", "the app got another body than was sent");
    if (said["times"] !== 1) return lost("duplicated", `the app has taken it ${String(said["times"])} times`);
  }
  return { kind: "ok", version };
}

function sha256(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

function parse(body: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
