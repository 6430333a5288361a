import { TealError, toTealError } from "../../model/error.ts";
import type {
  MetricGuardrail,
  MetricReading,
  MetricSetting,
  MetricSettings,
  NoReading,
  Silence,
} from "../../model/metric.ts";
import type { MetricSubject } from "../../ports/metrics.ts";
import { reasonOf } from "../hub.ts";
import type { EngineParts } from "../parts.ts";

/**
 * Asks a guardrail's source once, for as long as the guardrail says and no longer, whatever its driver does with the
 * signal. @throws the signal's reason, and nothing else
 */
export async function readMetric(
  parts: EngineParts,
  { source, timeoutMs }: MetricGuardrail,
  subject: MetricSubject,
  signal: AbortSignal,
): Promise<MetricReading> {
  const driver = parts.metrics.get(source.driver);
  if (driver === undefined) return none("settings", `this version of Teal has no source ${source.driver}`);
  const over = new AbortController();
  const limit = AbortSignal.any([signal, over.signal]);
  const late = parts.clock.sleep(timeoutMs, limit).then(
    (): MetricReading => none("unreachable", `it did not answer within ${String(timeoutMs)} ms`),
    (): Promise<never> => Promise.reject(reasonOf(limit)),
  );
  const asked = resolved(parts, source.settings).then((settings) => driver.read({ settings, subject }, limit));
  try {
    return await Promise.race([asked, late]);
  } catch (thrown) {
    if (signal.aborted) throw reasonOf(signal);
    const problem = toTealError(thrown);
    if (problem.code === "internal") parts.report(problem, { doing: `reading a metric of ${source.driver}` });
    return none("settings", `it cannot be asked: ${problem.message}`);
  } finally {
    over.abort(new TealError("aborted", "the reading is over"));
  }
}

function none(code: Silence, reason: string): NoReading {
  return { kind: "none", code, reason };
}

async function resolved(parts: EngineParts, settings: MetricSettings): Promise<Readonly<Record<string, unknown>>> {
  const entries = Object.entries(settings).map(async ([key, value]) => [key, await one(parts, value)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

async function one(parts: EngineParts, value: MetricSetting): Promise<unknown> {
  if (Array.isArray(value))
    return Promise.all((value as readonly MetricSettings[]).map((item) => resolved(parts, item)));
  if (typeof value === "number" || typeof value === "boolean") return value;
  return parts.configuration.text(value as Exclude<typeof value, readonly MetricSettings[]>);
}
