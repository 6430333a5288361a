import { createHash, randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { type Attributes, ROOT_CONTEXT, SpanStatusCode, trace, type Tracer, TraceFlags } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from "@opentelemetry/resources";
import { BatchSpanProcessor, type IdGenerator, TracerProvider } from "@opentelemetry/sdk-trace";
import type { Hub } from "../engine/hub.ts";
import { type Deployment, type DeploymentState, isEnded } from "../model/deployment.ts";
import { type Report, toTealError } from "../model/error.ts";
import type { TealEvent } from "../model/event.ts";
import type { EpochMilliseconds, Milliseconds } from "../model/time.ts";

/** What is left when the server ends is sent within this, or never. */
const LAST_MS: Milliseconds = 2_000;

export interface TracingParts {
  readonly hub: Hub;
  readonly find: (deployment: string) => Promise<Deployment | null>;
  readonly version: string;
  readonly report: Report;
  /** Ends listening. */
  readonly signal: AbortSignal;
}

interface Attempt {
  readonly step: string;
  readonly at: EpochMilliseconds;
  readonly attributes: Attributes;
}

/**
 * Sends a span for each deployment that ended and each attempt of a step, over OTLP/HTTP as the `OTEL_…` variables say.
 * Ids of trace and deployment come from the deployment's own, so that attempts under several servers are one trace. Spans
 * wait in a bounded queue: a collector that is slow or away costs spans, and nobody waits for it.
 * @returns sends what is left, for {@link LAST_MS} at most
 */
export function startTracing({ hub, find, version, report, signal }: TracingParts): () => Promise<void> {
  const ids = new DerivedIds();
  const provider = providerOf(version, ids);
  const tracer = provider.getTracer("teal", version);
  const open = new Map<string, Attempt>();
  const writing = new Set<Promise<void>>();

  const write = async (id: string, event: TealEvent, attempt: Attempt | undefined, isEnd: boolean): Promise<void> => {
    const deployment = await find(id);
    if (deployment === null) return;
    if (attempt !== undefined) emitStep(tracer, deployment, attempt, event);
    if (!isEnd) return;
    ids.takeNext(idsOf(id));
    emitDeployment(tracer, deployment, event.at);
  };
  const take = (event: TealEvent): void => {
    const { type, deployment, step, data, at } = event;
    if (deployment === null) return;
    if (type === "step-started" && step !== null) {
      const attributes = {
        "teal.step": step,
        "teal.uses": String(data["uses"]),
        "teal.attempt": Number(data["attempt"]),
      };
      open.set(deployment, { step, at, attributes });
      return;
    }
    const isEnd = type === "deployment-state" && isEnded(data["to"] as DeploymentState);
    if (!isEnd && type !== "step-completed" && type !== "step-failed") return;
    const attempt = open.get(deployment);
    open.delete(deployment);
    const writes = write(deployment, event, attempt, isEnd)
      .catch((thrown: unknown) => {
        report(toTealError(thrown), { deployment, service: event.service, doing: "tracing" });
      })
      .finally(() => writing.delete(writes));
    writing.add(writes);
  };
  hub.subscribe("event", take, signal);
  return async () => {
    const late = new AbortController();
    const sent = Promise.all(writing).then(() => provider.shutdown());
    const limit = wait(LAST_MS, undefined, { signal: late.signal }).catch(() => undefined);
    await Promise.race([sent, limit]).catch((thrown: unknown) => {
      report(toTealError(thrown), { doing: "tracing" });
    });
    sent.catch(() => undefined);
    late.abort();
  };
}

function providerOf(version: string, ids: IdGenerator): TracerProvider {
  const named = resourceFromAttributes({ "service.name": "teal", "service.version": version });
  const told = detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] });
  return new TracerProvider({
    resource: defaultResource().merge(named).merge(told),
    idGenerator: ids,
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
}

function attributesOf({ id, service, version }: Deployment): Attributes {
  return { "teal.deployment": id, "teal.service": service, ...(version === null ? {} : { "teal.version": version }) };
}

function emitStep(tracer: Tracer, deployment: Deployment, attempt: Attempt, end: TealEvent): void {
  const parent = { ...idsOf(deployment.id), traceFlags: TraceFlags.SAMPLED, isRemote: true };
  const attributes = { ...attempt.attributes, ...attributesOf(deployment) };
  const context = trace.setSpanContext(ROOT_CONTEXT, parent);
  const span = tracer.startSpan(attempt.step, { startTime: attempt.at, attributes }, context);
  if (end.type !== "step-completed") span.setStatus({ code: SpanStatusCode.ERROR, message: end.type });
  span.end(end.at);
}

function emitDeployment(tracer: Tracer, deployment: Deployment, at: EpochMilliseconds): void {
  const { service, goal, state, createdAt } = deployment;
  const attributes = { ...attributesOf(deployment), "teal.goal": goal, "teal.state": state };
  const span = tracer.startSpan(`${goal} ${service}`, { startTime: createdAt, attributes, root: true }, ROOT_CONTEXT);
  if (state !== "completed") span.setStatus({ code: SpanStatusCode.ERROR, message: state });
  span.end(at);
}

/** SHA-256 of the deployment's id: the same under every server. Never all zeroes, which W3C Trace Context forbids. */
function idsOf(deployment: string): { readonly traceId: string; readonly spanId: string } {
  const hash = createHash("sha256").update(deployment).digest("hex");
  return { traceId: hash.slice(0, 32), spanId: hash.slice(32, 48) };
}

/** Random, but for the root span that is begun next. */
class DerivedIds implements IdGenerator {
  #trace: string | null = null;
  #span: string | null = null;

  takeNext({ traceId, spanId }: ReturnType<typeof idsOf>): void {
    this.#trace = traceId;
    this.#span = spanId;
  }

  generateTraceId(): string {
    const id = this.#trace ?? randomBytes(16).toString("hex");
    this.#trace = null;
    return id;
  }

  generateSpanId(): string {
    const id = this.#span ?? randomBytes(8).toString("hex");
    this.#span = null;
    return id;
  }
}
