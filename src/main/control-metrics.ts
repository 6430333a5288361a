import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Hub, HubTopics } from "../engine/hub.ts";
import { type Deployment, DEPLOYMENT_STATES, type DeploymentState, isEnded } from "../model/deployment.ts";
import type { TealEvent } from "../model/event.ts";
import type { ServiceStatus } from "../model/status.ts";
import type { EpochMilliseconds } from "../model/time.ts";
import type { AnsweredCall } from "../server/info.ts";
import type { StoreCallEnded } from "./measured-store.ts";

const QUICK_SECONDS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10];
const LONG_SECONDS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400];

/**
 * What the control plane counts of itself. With thousands of services a label `service` on a histogram would be tens of
 * thousands of series: here only the two counters of instances have it, and a series of theirs begins with the first trouble.
 */
export class ControlMetrics {
  /** Goals of the deployments that have not ended. */
  readonly #goals = new Map<string, string>();
  /** When each deployment that is being taken back began to be. */
  readonly #rollingBack = new Map<string, EpochMilliseconds>();
  /** The step that each deployment is at: only the event that begins one says of which kind it is. */
  readonly #steps = new Map<string, { readonly step: string; readonly kind: string }>();
  /** By instance. */
  readonly #seen = new Map<string, { readonly restarts: number; readonly looping: boolean }>();
  readonly #made: ReturnType<typeof make>;

  /** `unfinished`: what an earlier server left. */
  constructor(registry: Registry, unfinished: readonly Deployment[]) {
    this.#made = make(registry);
    for (const { id, goal } of unfinished) this.#goals.set(id, goal);
  }

  listen(hub: Hub, signal: AbortSignal): void {
    hub.subscribe("event", (event) => this.#event(event), signal);
    hub.subscribe("instance", (message) => this.#instance(message), signal);
  }

  storeCall({ method, tookMs, code }: StoreCallEnded): void {
    this.#made.storeCalls.observe({ method }, tookMs / 1_000);
    if (code !== null) this.#made.storeFailures.inc({ method, code });
  }

  apiCall({ route, method, status, tookMs }: AnsweredCall): void {
    const group = `${String(Math.floor(status / 100))}xx`;
    this.#made.apiCalls.observe({ route, method, class: group }, tookMs / 1_000);
  }

  /** Servers that the keeper has ended as they hung: no server can count these itself. */
  serverHangs(count: number): void {
    this.#made.hangs.reset();
    this.#made.hangs.inc(count);
  }

  /** Gauges of the present, from what `teal status` says. */
  show(services: readonly ServiceStatus[], now: EpochMilliseconds, keeperConnected: boolean): void {
    const { unfinished, scheduled, overdue, keeper, unobserved } = this.#made;
    for (const state of DEPLOYMENT_STATES.filter((one) => !isEnded(one)))
      unfinished.set({ state }, services.filter(({ deployment }) => deployment?.state === state).length);
    scheduled.set(services.filter(({ retirement }) => retirement !== null).length);
    overdue.set(services.filter(({ retirement }) => retirement !== null && retirement.at <= now).length);
    keeper.set(keeperConnected ? 1 : 0);
    unobserved.set(services.filter(({ active, observed }) => active !== null && observed === null).length);
  }

  #event(event: TealEvent): void {
    const { type, deployment, step, data } = event;
    this.#made.events.inc({ type });
    if (deployment === null) return;
    if (type === "deployment-accepted") this.#goals.set(deployment, String(data["goal"]));
    else if (type === "deployment-state") this.#state(deployment, data["to"] as DeploymentState, event.at);
    else if (type === "split-reverted" && typeof data["tookMs"] === "number")
      this.#made.reverts.observe(data["tookMs"] / 1_000);
    else if (step !== null) this.#step(deployment, step, event);
  }

  #state(deployment: string, to: DeploymentState, at: EpochMilliseconds): void {
    if (to === "rolling-back" && !this.#rollingBack.has(deployment)) this.#rollingBack.set(deployment, at);
    if (!isEnded(to)) return;
    this.#made.deployments.inc({ goal: this.#goals.get(deployment) ?? "unknown", state: to });
    const began = this.#rollingBack.get(deployment);
    if (began !== undefined) this.#made.rollbacks.observe(Math.max(0, at - began) / 1_000);
    for (const map of [this.#goals, this.#rollingBack, this.#steps]) map.delete(deployment);
  }

  #step(deployment: string, step: string, { type, data }: TealEvent): void {
    if (type === "step-started") {
      this.#steps.set(deployment, { step, kind: String(data["uses"]).split("@")[0] ?? "" });
      return;
    }
    const at = this.#steps.get(deployment);
    if (at?.step !== step) return;
    if (type === "step-completed" && typeof data["tookMs"] === "number")
      this.#made.steps.observe({ step: at.kind }, data["tookMs"] / 1_000);
    else if (type === "step-failed") this.#made.stepFailures.inc({ step: at.kind, code: String(data["code"]) });
  }

  #instance({ service, environment, instance }: HubTopics["instance"]): void {
    const { id, restarts, state } = instance;
    const before = this.#seen.get(id);
    const looping = state === "crash-loop";
    const labels = { service, environment };
    // What happened before this server saw it, an earlier one has counted.
    if (before !== undefined && restarts > before.restarts) this.#made.restarts.inc(labels, restarts - before.restarts);
    if (looping && before?.looping !== true) this.#made.crashLoops.inc(labels);
    if (state === "stopped") this.#seen.delete(id);
    else this.#seen.set(id, { restarts, looping });
  }
}

function make(registry: Registry) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter<L>({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge<L>({ name, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, buckets: number[], labelNames: L[] = []) =>
    new Histogram<L>({ name, help, buckets, labelNames, registers });
  return {
    deployments: counter("teal_deployments_total", "Deployments that ended", ["goal", "state"]),
    unfinished: gauge("teal_deployments_unfinished", "Deployments that have not ended", ["state"]),
    steps: histogram("teal_step_duration_seconds", "Steps that were completed", LONG_SECONDS, ["step"]),
    stepFailures: counter("teal_step_failures_total", "Steps that failed", ["step", "code"]),
    rollbacks: histogram("teal_rollback_duration_seconds", "From the record of going back to its end", LONG_SECONDS),
    reverts: histogram("teal_revert_duration_seconds", "Until the proxy had given the traffic back", QUICK_SECONDS),
    storeCalls: histogram("teal_store_call_duration_seconds", "Calls of the store", QUICK_SECONDS, ["method"]),
    storeFailures: counter("teal_store_call_failures_total", "Calls of the store that failed", ["method", "code"]),
    events: counter("teal_events_total", "Events that were written", ["type"]),
    apiCalls: histogram("teal_api_call_duration_seconds", "Calls of the API", QUICK_SECONDS, [
      "route",
      "method",
      "class",
    ]),
    scheduled: gauge("teal_retirements_scheduled", "Environments that wait for their retirement"),
    overdue: gauge("teal_retirements_overdue", "Of those, due by now"),
    keeper: gauge("teal_keeper_reachable", "1 while the server is connected to the keeper"),
    unobserved: gauge("teal_services_unobserved", "Services with a release of which the proxy does not answer"),
    hangs: counter("teal_server_hangs_total", "Servers that the keeper has ended as they hung, since it started", []),
    restarts: counter("teal_instance_restarts_total", "Instances that were started again", ["service", "environment"]),
    crashLoops: counter("teal_crash_loops_total", "Instances that came into a crash loop", ["service", "environment"]),
  };
}
