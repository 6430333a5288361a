import type { NoReading } from "../../model/metric.ts";
import type { Clock } from "../../model/time.ts";
import { get, type Got } from "../validation/get.ts";
import { none } from "./none.ts";

/** A source's answer as JSON, or why there is none. */
export type Answer = { readonly kind: "answer"; readonly status: number; readonly json: unknown } | NoReading;

/** @param where what is asked, for a person: the address may hold a secret. @throws the signal's reason */
export async function askForJson(
  { url, where }: { readonly url: URL; readonly where: string },
  clock: Clock,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const asked = { "user-agent": "teal-metrics", accept: "application/json", ...headers };
  return read(await get(url, clock, signal, asked), where);
}

function read(got: Got, where: string): Answer {
  if (got.kind === "none") return none("unreachable", `${where} did not answer: ${got.reason}`);
  if (got.cut) return none("unreadable", `${where} answered more than is read`);
  try {
    return { kind: "answer", status: got.status, json: JSON.parse(got.body) as unknown };
  } catch {
    return none("unreadable", `${where} answered ${String(got.status)}, and no JSON`);
  }
}
