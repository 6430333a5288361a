import type { HttpCheck } from "../../model/service.ts";
import type { Clock, Milliseconds } from "../../model/time.ts";
import type { CheckResult, ProbeMark } from "../../ports/validation.ts";
import { at, type Got, get, MOST_BODY } from "./get.ts";

/** A declared check: status, text in the body, time to the whole answer. */
export async function httpCheck(
  baseUrl: string,
  check: HttpCheck,
  clock: Clock,
  signal: AbortSignal,
  headers?: Readonly<Record<string, string>>,
): Promise<CheckResult> {
  const { withinMs } = check;
  const url = at(baseUrl, check.path);
  if (withinMs === null) return judge(check, await get(url, clock, signal, headers));
  const late = AbortSignal.timeout(withinMs);
  try {
    return judge(check, await get(url, clock, AbortSignal.any([signal, late]), headers));
  } catch (thrown) {
    if (signal.aborted || !late.aborted) throw thrown;
    return tooSlow(check, withinMs);
  }
}

/** The same as a probe: it says so, and for which deployment, and has a deadline of its own. */
export function probe(
  baseUrl: string,
  check: HttpCheck,
  { deployment, timeoutMs }: ProbeMark,
  clock: Clock,
  signal: AbortSignal,
): Promise<CheckResult> {
  const bounded = { ...check, withinMs: Math.min(check.withinMs ?? timeoutMs, timeoutMs) };
  return httpCheck(baseUrl, bounded, clock, signal, { "user-agent": "teal-probe", "teal-probe": deployment });
}

function tooSlow(check: HttpCheck, tookMs: Milliseconds): CheckResult {
  return { passed: false, summary: `GET ${check.path} did not answer within ${String(check.withinMs)} ms`, tookMs };
}

function judge(check: HttpCheck, got: Got): CheckResult {
  const { tookMs } = got;
  const fails = (summary: string): CheckResult => ({ passed: false, summary: `GET ${check.path} ${summary}`, tookMs });
  if (got.kind === "none") return fails(`got no answer: ${got.reason}`);
  if (check.withinMs !== null && tookMs > check.withinMs) return tooSlow(check, tookMs);
  if (got.status !== check.status) return fails(`answered ${String(got.status)}, expected ${String(check.status)}`);
  if (check.body !== null && !got.body.includes(check.body)) {
    const where = got.cut ? ` in its first ${String(MOST_BODY)} bytes` : "";
    return fails(`answered ${String(got.status)}, but without ${JSON.stringify(check.body)}${where}`);
  }
  return {
    passed: true,
    summary: `GET ${check.path} answered ${String(got.status)} in ${tookMs.toFixed(0)} ms`,
    tookMs,
  };
}
