import type { Clock } from "../../model/time.ts";
import type { CheckResult } from "../../ports/validation.ts";
import { at, get } from "./get.ts";

/** As much of an app's own explanation as goes into a summary. */
const MOST_WORDS = 600;

/** The app's own verdict on itself: 200, and not `deployment_ready: false`. */
export async function endpointCheck(
  baseUrl: string,
  path: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<CheckResult> {
  const got = await get(at(baseUrl, path), clock, signal);
  const fails = (summary: string): CheckResult => ({
    passed: false,
    summary: `GET ${path} ${summary}`,
    tookMs: got.tookMs,
  });
  if (got.kind === "none") return fails(`got no answer: ${got.reason}`);
  if (got.status !== 200) return fails(`answered ${String(got.status)}, expected 200${quote(got.body)}`);
  const isJson = got.type.includes("json");
  if (isJson && got.cut) return fails("answered more JSON than is read");
  const said = parse(got.body);
  if (said === undefined && isJson) return fails(`says that it is JSON, but is not${quote(got.body)}`);
  if (isRefusal(said)) return fails(`says deployment_ready: false${explain(said)}`);
  return { passed: true, summary: `GET ${path} answered 200`, tookMs: got.tookMs };
}

/** Undefined when it is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isRefusal(said: unknown): said is Readonly<Record<string, unknown>> {
  return typeof said === "object" && said !== null && "deployment_ready" in said && said.deployment_ready === false;
}

/** `checks` may be of any shape: its JSON says it to a person. */
function explain(said: Readonly<Record<string, unknown>>): string {
  const why = said["checks"] ?? said["message"] ?? said["reason"];
  return why === undefined ? "" : quote(typeof why === "string" ? why : JSON.stringify(why));
}

function quote(text: string): string {
  const trimmed = text.trim();
  return trimmed === "" ? "" : `: ${trimmed.length > MOST_WORDS ? `${trimmed.slice(0, MOST_WORDS)}…` : trimmed}`;
}
