import type {
  Asker,
  Control,
  DeploymentView,
  EnvironmentChanged,
  EnvironmentRequest,
  MaintenanceOutcome,
  MaintenanceRequest,
  Passed,
  PlanQuestion,
  PlanView,
  TrafficRequest,
  TrafficSet,
} from "../../engine/control.ts";
import type { Deployment } from "../../model/deployment.ts";
import { TealError } from "../../model/error.ts";
import type { TealEvent } from "../../model/event.ts";
import type { ServiceStatus } from "../../model/status.ts";
import type { SeriesChunk } from "../../model/series.ts";
import type { Receipt } from "../../model/traffic.ts";
import type { LogLineAnswer as LogLine } from "../../api/answers.ts";

export const AT = 1_800_000_000_000;

const receipt: Receipt = {
  service: "web",
  deployment: "dep_1",
  generation: 4,
  from: { blue: 100 },
  to: { blue: 0, green: 100 },
  at: AT,
  inFlight: 2,
  drained: 2,
  held: 0,
  retried: 0,
  rescued: 0,
  cut: 0,
  failed: 0,
  kernelRefused: 0,
  final: true,
};

function chunk(deployment: string): SeriesChunk {
  const cell = { requests: 10, failures: 1, connectFailures: 0, latency: [[12, 10] as const] };
  const points = [1_000, 2_000].map((ms) => ({ at: AT + ms, environments: { blue: cell, green: cell } }));
  return { format: 1, deployment, number: 0, from: AT, before: { blue: [[12, 5]] }, points };
}

export function memoryEvent(seq: number, text = "x"): TealEvent {
  return { seq, at: AT + seq, service: "web", deployment: null, type: "warning", step: null, data: { text } };
}

const ABOUT_DEPLOYMENTS: ReadonlySet<string> = new Set(["abort", "approve", "resume"]);

/** A small engine in memory: one service `web`, deployments that go nowhere, events and logs that a test adds. */
export class MemoryControl implements Control {
  /** Everything that was asked, by method, as it came in. */
  readonly asked: { readonly method: string; readonly values: readonly unknown[] }[] = [];
  readonly deployments = new Map<string, Deployment>();
  readonly log: TealEvent[] = [];
  readonly lines: LogLine[] = [];
  /** Signals of the streams that were opened. */
  readonly streams: AbortSignal[] = [];
  /** Events handed out so far, over all streams. */
  handedOut = 0;
  failure: Error | null = null;
  #changed = Promise.withResolvers<undefined>();

  emit(event: TealEvent): void {
    this.log.push(event);
    this.wake();
  }

  /** Lets the waiting streams look again. */
  wake(): void {
    this.#changed.resolve(undefined);
    this.#changed = Promise.withResolvers();
  }

  async status(): Promise<readonly ServiceStatus[]> {
    this.#note("status");
    return [await this.serviceStatus("web")];
  }

  async serviceStatus(service: string): Promise<ServiceStatus> {
    this.#note("serviceStatus", service);
    return {
      service: "web",
      active: "blue",
      standby: "green",
      traffic: { blue: 100, green: 0 },
      desired: { blue: 100, green: 0 },
      observed: { blue: 100, green: 0 },
      generation: 3,
      fence: 2,
      rollback: { safe: "safe", reason: "green is warm", seconds: 1 },
      environments: [
        {
          name: "blue",
          version: "v1",
          state: "ready",
          instances: [{ id: "web/blue/v1/0", address: "127.0.0.1:20000", pid: 7, healthy: true }],
        },
      ],
      deployment: null,
      retirement: { environment: "green", at: AT },
      dora: null,
      maintenance: null,
    };
  }

  async plan(question: PlanQuestion): Promise<PlanView> {
    this.#note("plan", question);
    return {
      goal: question.goal,
      service: "web",
      from: "blue",
      to: "green",
      releases: { from: "v1", to: "v2" },
      steps: [
        {
          id: "shift-10",
          uses: "shift@1",
          title: "give green 10 %",
          touches: ["traffic blue 90 %, green 10 %"],
          input: { environment: "green", weights: { blue: 90, green: 10 } },
          expectedMs: 1_500,
          worstMs: 60_000,
        },
      ],
      worstRollbackMs: 250,
      warnings: ["little traffic"],
      changes: [{ path: "environment.count", before: "1", after: "2" }],
    };
  }

  async deploy(service: string, request: Asker & { readonly version: string }): Promise<Deployment> {
    this.#note("deploy", service, request);
    return this.#begin("deploy", request);
  }

  async switch(
    service: string,
    request: Asker & { readonly to: string },
  ): Promise<{ deployment: Deployment; receipt: Receipt }> {
    this.#note("switch", service, request);
    return { deployment: this.#begin("switch", request), receipt };
  }

  async maintenance(service: string, request: MaintenanceRequest): Promise<MaintenanceOutcome> {
    this.#note("maintenance", service, request);
    const { mode, by, reason } = request;
    const plain = { until: null, endsIn: "off" as const, page: null, status: 503, retryAfterMs: 1, allow: [] };
    const order = { mode, ...plain, deadlineMs: 1, most: 1 };
    return { service, record: { revision: 1, order, since: AT, by, reason }, changed: true, warnings: ["a warning"] };
  }

  async rollback(service: string, request: Asker): Promise<{ deployment: Deployment; receipt: null }> {
    this.#note("rollback", service, request);
    return { deployment: this.#begin("rollback", request), receipt: null };
  }

  async abort(deployment: string, request: Asker): Promise<Deployment> {
    this.#note("abort", deployment, request);
    const aborted: Deployment = { ...this.#find(deployment), state: "rolling-back" };
    this.deployments.set(deployment, aborted);
    return aborted;
  }

  async approve(deployment: string, { by, reason, ...rest }: Asker): Promise<Passed> {
    this.#note("approve", deployment, { by, reason, ...rest });
    return { deployment: this.#find(deployment), approval: { by, reason, at: AT }, repeated: false };
  }

  async resume(deployment: string, request: Asker): Promise<Deployment> {
    this.#note("resume", deployment, request);
    return this.#find(deployment);
  }

  async traffic(service: string, request: TrafficRequest): Promise<TrafficSet> {
    this.#note("traffic", service, request);
    return { service, weights: "weights" in request.wish ? request.wish.weights : {}, generation: 5, receipt };
  }

  startEnvironment(request: EnvironmentRequest): Promise<EnvironmentChanged> {
    return this.#environment("startEnvironment", request);
  }
  stopEnvironment(request: EnvironmentRequest): Promise<EnvironmentChanged> {
    return this.#environment("stopEnvironment", request);
  }
  scaleEnvironment(request: EnvironmentRequest): Promise<EnvironmentChanged> {
    return this.#environment("scaleEnvironment", request);
  }
  retireEnvironment(request: EnvironmentRequest): Promise<EnvironmentChanged> {
    return this.#environment("retireEnvironment", request);
  }

  async #environment(method: string, { signal: _signal, ...request }: EnvironmentRequest): Promise<EnvironmentChanged> {
    const { service, environment } = request;
    this.#note(method, service, request);
    return { service, environment, state: "ready", changed: true, deployment: null };
  }

  async deployment(id: string): Promise<DeploymentView> {
    const step = {
      deployment: id,
      position: 0,
      id: "shift-10",
      uses: "shift@1",
      title: "give green 10 %",
      input: {},
      worstMs: 60_000,
      state: "running",
      attempt: 1,
      startedAt: AT,
      endedAt: null,
      progress: {},
      result: null,
    } as const;
    return { deployment: this.#find(id), steps: [step], receipts: [receipt] };
  }

  async record(id: string): ReturnType<Control["record"]> {
    const view = await this.deployment(id);
    const approval = { by: "ada", reason: null, at: AT };
    return { ...view, events: this.log, leftOut: null, plan: null, approval, series: [chunk(id)], spec: null };
  }

  async history(service: string, limit: number): Promise<readonly Deployment[]> {
    this.#note("history", service, limit);
    return [...this.deployments.values()].toReversed().slice(0, limit);
  }

  async *events(after: number, follow: boolean, signal: AbortSignal): AsyncGenerator<TealEvent> {
    this.#note("events", after, follow);
    this.streams.push(signal);
    let seen = after;
    for (;;) {
      const changed = this.#changed.promise;
      this.#throwFailure();
      for (const event of this.log.filter((found) => found.seq > seen)) {
        seen = event.seq;
        this.handedOut++;
        yield event;
      }
      if (!follow) return;
      await Promise.race([changed, aborted(signal)]);
    }
  }

  async lastSeq(): Promise<number> {
    return this.log.at(-1)?.seq ?? 0;
  }

  async *logs(
    service: string,
    options: {
      readonly environment: string | null;
      readonly lines: number;
      readonly follow: boolean;
      readonly signal: AbortSignal;
    },
  ): AsyncGenerator<LogLine> {
    const { signal, ...asked } = options;
    this.#note("logs", service, asked);
    this.streams.push(signal);
    yield* this.lines.slice(-options.lines);
    if (options.follow) await aborted(signal);
  }

  #begin(goal: Deployment["goal"], request: Asker & { readonly version?: string; readonly to?: string }): Deployment {
    const deployment: Deployment = {
      id: `dep_${String(this.deployments.size + 1)}`,
      service: "web",
      goal,
      state: "running",
      from: "blue",
      to: request.to ?? "green",
      release: request.version ?? "v1",
      version: request.version ?? "v1",
      touchedTraffic: false,
      cause: null,
      by: request.by,
      reason: request.reason,
      createdAt: AT,
      startedAt: AT + 1,
      endedAt: null,
    };
    this.deployments.set(deployment.id, deployment);
    return deployment;
  }

  #find(id: string): Deployment {
    const found = this.deployments.get(id);
    if (found === undefined) throw new TealError("deployment-unknown", `there is no deployment ${id}`);
    return found;
  }

  #note(method: string, ...values: unknown[]): void {
    this.asked.push({ method, values });
    if (typeof values[0] === "string" && !ABOUT_DEPLOYMENTS.has(method) && values[0] !== "web") {
      throw new TealError("service-unknown", `there is no service ${values[0]}`, { remedy: "Use web." });
    }
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.failure !== null) throw this.failure;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const onAbort = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}
