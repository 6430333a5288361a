import { type Deployment, isEnded } from "../model/deployment.ts";
import { TealError, toTealError } from "../model/error.ts";
import { isErrorCode } from "../model/catalogue.ts";
import type { TealEvent } from "../model/event.ts";
import type { ServiceStatus } from "../model/status.ts";
import type { Milliseconds } from "../model/time.ts";
import type { LogLine } from "../ports/environment.ts";
import { type DeploymentRecord, deploymentRecord } from "../store/deployment-record.ts";
import { accept, type Planned, planned } from "./admission.ts";
import { approve } from "./approving.ts";
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
  Switched,
  TrafficRequest,
  TrafficSet,
  Variables,
} from "./control.ts";
import { setByHand } from "./by-hand.ts";
import type { Delivery } from "./delivery.ts";
import { scaleEnvironment, startEnvironment, stopEnvironment } from "./environment-acts.ts";
import { ended, type Fleet } from "./fleet.ts";
import { logsOf } from "./logs.ts";
import type { MaintenanceDesk } from "./maintenance.ts";
import type { KeyedMutex } from "./mutex.ts";
import type { EngineParts } from "./parts.ts";
import { previousRelease } from "./prune.ts";
import type { Run } from "./run.ts";
import { statusOf } from "./status.ts";
import { known, survey } from "./survey.ts";
import type { TrafficDesk } from "./traffic-desk.ts";
import { isDoneWithin } from "./within.ts";

/** A status says what is on record of whatever does not answer within this. */
const STATUS_MS: Milliseconds = 1_000;

/** A rollback that became an abort is answered by then, also when the disk does not take the note of its key. */
const NOTE_MS: Milliseconds = 2_000;

/** What the verbs act through. */
export interface ControllerParts {
  readonly traffic: TrafficDesk;
  readonly fleet: Fleet;
  readonly maintenance: MaintenanceDesk;
  readonly queue: KeyedMutex;
  readonly delivery: Delivery;
}

/** The verbs, over the engine's parts: see {@link Control} for what each does. */
export class Controller implements Control {
  readonly #parts: EngineParts;
  /** For answers that change nothing. */
  readonly #reading: EngineParts;
  readonly #traffic: TrafficDesk;
  readonly #fleet: Fleet;
  readonly #maintenance: MaintenanceDesk;
  readonly #delivery: Delivery;
  /** Requests for one service are planned and accepted one after another. */
  readonly #desk: KeyedMutex;

  constructor(parts: EngineParts, { traffic, fleet, maintenance, queue, delivery }: ControllerParts) {
    this.#desk = queue;
    this.#delivery = delivery;
    this.#parts = parts;
    this.#reading = { ...parts, store: parts.reads };
    this.#traffic = traffic;
    this.#fleet = fleet;
    this.#maintenance = maintenance;
  }

  async status(signal: AbortSignal): Promise<readonly ServiceStatus[]> {
    const recorded = (await this.#parts.reads.services()).map(({ service }) => service);
    const names = [...new Set([...this.#parts.configuration.services(), ...recorded])];
    return Promise.all(names.map((service) => this.serviceStatus(service, signal)));
  }

  async serviceStatus(service: string, signal: AbortSignal): Promise<ServiceStatus> {
    const { store } = this.#reading;
    const soon = AbortSignal.any([signal, AbortSignal.timeout(STATUS_MS)]);
    const seen = await survey(this.#reading, service, soon, "unless-told");
    const active = seen.environments.find(({ name }) => name === seen.row.active)?.release ?? null;
    const warm = seen.environments.some(({ name, release }) => name !== seen.row.active && release !== null);
    const [steps, previous] = await Promise.all([
      seen.unfinished === null ? [] : store.steps(seen.unfinished.id),
      warm ? null : previousRelease(this.#reading, service, active?.id ?? null),
    ]);
    return statusOf(seen, {
      steps,
      hold: this.#fleet.of(service)?.holding.now ?? null,
      previous,
      dora: this.#delivery.of(service),
      now: this.#parts.clock.now(),
    });
  }

  async plan(question: PlanQuestion, signal: AbortSignal): Promise<PlanView> {
    const { plan, leaves, release } = await planned(this.#parts, question, signal);
    return { ...plan, releases: { from: leaves, to: release.id } };
  }

  async deploy(
    service: string,
    request: Asker & { readonly version: string; readonly supersede: boolean; readonly variables: Variables },
    signal: AbortSignal,
  ): Promise<Deployment> {
    return this.#desk.run(service, async () => {
      const before = await this.#repeated(service, request);
      if (before !== null) return before.deployment;
      if (request.supersede) await this.#supersede(service, request, signal);
      const question = { goal: "deploy", service, version: request.version, variables: request.variables } as const;
      const { deployment } = await this.#begin(await planned(this.#parts, question, signal), request);
      return deployment;
    });
  }

  async switch(
    service: string,
    request: Asker & { readonly to: string; readonly force: boolean },
    signal: AbortSignal,
  ): Promise<Switched> {
    const { to, force } = request;
    const begun = await this.#desk.run(
      service,
      async () =>
        (await this.#repeated(service, request)) ??
        this.#begin(await planned(this.#parts, { goal: "switch", service, to, force }, signal), request),
    );
    return this.#switched(begun, signal);
  }

  async rollback(service: string, request: Asker, signal: AbortSignal): Promise<Switched> {
    const before = await this.#repeated(service, request);
    if (before !== null) return this.#switched(before, signal);
    const aborted = await this.#aborted(service, request);
    if (aborted !== null) return { deployment: aborted, receipt: null };
    const current = this.#fleet.of(service);
    if (current !== null && current.deployment.goal !== "retire") {
      // An abort would leave the traffic where it is: the opposite of what is asked.
      if (current.deployment.state === "frozen") throw frozen(current.deployment);
      return { deployment: await this.#abortInstead(current, request), receipt: null };
    }
    const begun = await this.#desk.run(service, async () => {
      await this.#endRetirement(service, request, signal);
      return this.#begin(await planned(this.#parts, { goal: "rollback", service }, signal), request);
    });
    return this.#switched(begun, signal);
  }

  async abort(id: string, request: Asker): Promise<Deployment> {
    const run = this.#fleet.get(id);
    if (run === null) {
      const { deployment } = await this.deployment(id);
      throw new TealError("deployment-ended", `${id} has ended: ${deployment.state}`);
    }
    await run.abort({ kind: "abort", by: request.by, reason: request.reason });
    return run.deployment;
  }

  approve(id: string, request: Asker): Promise<Passed> {
    return approve(this.#parts, id, request);
  }

  maintenance(service: string, request: MaintenanceRequest): Promise<MaintenanceOutcome> {
    return this.#maintenance.order(service, request);
  }

  async resume(id: string, { by, reason, drift }: Parameters<Control["resume"]>[1]): Promise<Deployment> {
    const run = this.#fleet.get(id);
    if (run === null) {
      const { deployment } = await this.deployment(id);
      throw new TealError("deployment-ended", `${id} has ended: ${deployment.state}`);
    }
    await run.holding.resume({ by, reason, drift });
    return run.deployment;
  }

  async traffic(service: string, request: TrafficRequest, signal: AbortSignal): Promise<TrafficSet> {
    return this.#desk.run(service, () =>
      setByHand(this.#parts, this.#traffic, this.#fleet.of(service), { service, request, signal }),
    );
  }

  stopEnvironment(request: EnvironmentRequest): Promise<EnvironmentChanged> {
    return this.#desk.run(request.service, () => stopEnvironment(this.#parts, this.#traffic, request));
  }

  startEnvironment(request: EnvironmentRequest): Promise<EnvironmentChanged> {
    return this.#desk.run(request.service, () => startEnvironment(this.#parts, this.#traffic, request));
  }

  scaleEnvironment(request: EnvironmentRequest & { readonly count: number }): Promise<EnvironmentChanged> {
    return this.#desk.run(request.service, () => scaleEnvironment(this.#parts, this.#traffic, request));
  }

  async retireEnvironment(request: EnvironmentRequest): Promise<EnvironmentChanged> {
    const { service, environment, signal } = request;
    return this.#desk.run(service, async () => {
      const seen = await survey(this.#parts, service, signal);
      known(seen, environment);
      const { release = null, observation } = seen.environments.find(({ name }) => name === environment) ?? {};
      const state = observation?.state ?? "absent";
      if (release === null) return { service, environment, state, changed: false, deployment: null };
      const what = await planned(this.#parts, { goal: "retire", service, to: environment }, signal);
      const { deployment } = await this.#begin(what, request);
      return { service, environment, state, changed: true, deployment: deployment.id };
    });
  }

  async deployment(id: string): Promise<DeploymentView> {
    const store = this.#parts.reads;
    const [deployment, steps, receipts] = await Promise.all([
      store.deployment(id),
      store.steps(id),
      store.receipts(id),
    ]);
    if (deployment === null) throw new TealError("deployment-unknown", `there is no deployment ${id}`);
    return { deployment, steps, receipts };
  }

  async record(id: string): Promise<DeploymentRecord> {
    const record = await deploymentRecord(this.#parts.store, id);
    if (record === null) throw new TealError("deployment-unknown", `there is no deployment ${id}`);
    return record;
  }

  async history(service: string, limit: number): Promise<readonly Deployment[]> {
    const { reads, configuration } = this.#parts;
    const known = configuration.services().includes(service) || (await reads.service(service)) !== null;
    if (!known) throw new TealError("service-unknown", `there is no service ${service}`);
    return reads.history(service, limit);
  }

  events(after: number, follow: boolean, signal: AbortSignal): AsyncIterable<TealEvent> {
    return this.#parts.journal.read(after, follow, signal);
  }

  lastSeq(): Promise<number> {
    return this.#parts.reads.lastSeq();
  }

  logs(service: string, options: Parameters<Control["logs"]>[1]): AsyncIterable<LogLine> {
    return logsOf(this.#parts, service, options);
  }

  async #begin(what: Planned, asker: Asker): Promise<Begun> {
    const { store } = this.#parts;
    const { service } = what.plan;
    const before = (await store.service(service)) ?? (await store.claim(service, 0));
    const { deployment, repeated } = await accept(this.#parts, what, asker);
    if (repeated) return { deployment, run: this.#fleet.get(deployment.id) };
    // One that was just being taken back has raised the fence until then; what is accepted is run even if this read fails.
    const row = await store.service(service).catch((thrown: unknown) => {
      this.#parts.report(toTealError(thrown), { service, deployment: deployment.id, doing: "reading the fence" });
      return before;
    });
    return { deployment, run: this.#fleet.start(deployment, what.release, (row ?? before).fence) };
  }

  /** The note of it does not keep the traffic waiting, and is made before the traffic is back: a crash may come then. */
  async #abortInstead({ deployment: { id, service } }: Run, request: Asker): Promise<Deployment> {
    const { store, clock, report } = this.#parts;
    const { idempotencyKey } = request;
    const noted = idempotencyKey === null ? Promise.resolve() : store.rememberAbort(service, idempotencyKey, id);
    const known = noted.catch((thrown: unknown) => {
      report(toTealError(thrown), { service, deployment: id, doing: "noting the key of an abort" });
    });
    const deployment = await this.abort(id, request);
    await isDoneWithin(known, NOTE_MS, clock);
    return deployment;
  }

  /** One that had completed just before it could be aborted is not meant: the same request then rolls it back. */
  async #aborted(service: string, { idempotencyKey }: Asker): Promise<Deployment | null> {
    if (idempotencyKey === null) return null;
    const deployment = await this.#parts.store.abortedWithKey(service, idempotencyKey);
    if (deployment === null || deployment.state === "completed") return null;
    return this.#fleet.get(deployment.id)?.deployment ?? deployment;
  }

  /** The same request again: known by its key before anything is planned, as the world has changed by the first. */
  async #repeated(service: string, { idempotencyKey }: Asker): Promise<Begun | null> {
    if (idempotencyKey === null) return null;
    const deployment = await this.#parts.store.withKey(service, idempotencyKey);
    return deployment === null ? null : { deployment, run: this.#fleet.get(deployment.id) };
  }

  /** A way back does not wait minutes for the drain of what it goes back to. */
  async #endRetirement(service: string, { by }: Asker, signal: AbortSignal): Promise<void> {
    const run = this.#fleet.of(service);
    if (run?.deployment.goal !== "retire") return;
    try {
      await run.abort({ kind: "abort", by, reason: "a rollback needs the environment" });
    } catch (thrown) {
      if (toTealError(thrown).code !== "deployment-ended") throw thrown;
    }
    await ended(run, signal);
  }

  /** A bake is ended as passed; anything earlier is taken back. Then the service is free. */
  async #supersede(service: string, { by }: Asker, signal: AbortSignal): Promise<void> {
    const run = this.#fleet.of(service);
    if (run === null) return;
    if (run.deployment.state === "frozen") throw frozen(run.deployment);
    if (run.deployment.state === "baking") run.endBake();
    else if (run.deployment.goal !== "retire")
      await run.abort({ kind: "abort", by, reason: "superseded by a newer deployment" });
    await ended(run, signal);
  }

  async #switched({ deployment: accepted, run }: Begun, signal: AbortSignal): Promise<Switched> {
    if (run !== null) await ended(run, signal);
    const deployment = run?.deployment ?? accepted;
    if (deployment.state === "completed") {
      return { deployment, receipt: run?.receipt ?? (await this.#parts.store.receipts(deployment.id)).at(-1) ?? null };
    }
    const { cause } = deployment;
    if (!isEnded(deployment.state)) {
      throw new TealError("server-down", `the server stops while ${deployment.id} is ${deployment.state}`, {
        remedy: "The next server goes on with it: see `teal status`.",
      });
    }
    if (cause === null) throw new TealError("internal", `${deployment.id} is ${deployment.state}`);
    if (cause.kind === "abort") throw new TealError("aborted", `${deployment.id} was aborted by ${cause.by}`);
    throw new TealError(isErrorCode(cause.code) ? cause.code : "internal", cause.message);
  }
}

/** An accepted deployment; `run` is null when the request was repeated and its deployment has ended. */
interface Begun {
  readonly deployment: Deployment;
  readonly run: Run | null;
}

/** Its end where it stands is for a person to decide: both environments may have traffic, and so none is free. */
function frozen({ id, from, to }: Deployment): TealError {
  return new TealError(
    "deployment-running",
    `${id} is frozen: ${from ?? "nothing"} is not healthy, ${to} has traffic`,
    {
      remedy: `Mend ${from ?? to}, or end it with \`teal abort\` and choose with \`teal switch\`.`,
    },
  );
}
