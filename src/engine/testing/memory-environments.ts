import type { InstanceState, InstanceStatus } from "../../model/environment.ts";
import { TealError } from "../../model/error.ts";
import { instanceId } from "../../model/environment.ts";
import type { EnvironmentDriver, EnvironmentObservation, EnvironmentTarget, LogLine } from "../../ports/environment.ts";

/** Environments in memory: what is started is ready at once, unless a test has said how the release behaves. */
export class MemoryEnvironments implements EnvironmentDriver {
  readonly name = "memory";
  readonly started: string[] = [];
  readonly stopped: string[] = [];
  /** Log lines by `service/environment`. */
  readonly printed = new Map<string, readonly LogLine[]>();
  /** By version: the state that its instances come up in, or an error of the start itself. */
  readonly behaviour = new Map<string, InstanceState | TealError>();
  /** While set, their keeper does not answer: every call fails with it. What runs goes on. */
  down: TealError | null = null;
  readonly #running = new Map<string, { release: string; instances: InstanceStatus[] }>();
  readonly #listeners = new Set<(service: string, environment: string, instance: InstanceStatus) => void>();
  #port = 20_000;

  cautions(): readonly string[] {
    return [];
  }

  start({ service, environment, release }: EnvironmentTarget): Promise<void> {
    if (this.down !== null) return Promise.reject(this.down);
    const key = `${service}/${environment}`;
    const before = this.#running.get(key);
    const { count } = release.spec.environment;
    if (before?.release === release.id && before.instances.length === count) return Promise.resolve();
    const behaviour = this.behaviour.get(release.version) ?? "ready";
    if (behaviour instanceof TealError) return Promise.reject(behaviour);
    this.started.push(`${environment}/${release.id}`);
    const kept = before?.release === release.id ? before.instances.slice(0, count) : [];
    const fresh = Array.from({ length: count - kept.length }, (_, index): InstanceStatus => {
      const ordinal = kept.length + index;
      return {
        id: instanceId({ service, environment, release: release.id, ordinal }),
        ordinal,
        state: behaviour,
        address: `127.0.0.1:${String(this.#port++)}`,
        pid: 1,
        restarts: 0,
        code: behaviour === "crash-loop" ? "crash-loop" : null,
        reason: behaviour === "ready" ? null : "as the test wants it",
        startedAt: 0,
      };
    });
    const instances = [...kept, ...fresh];
    this.#running.set(key, { release: release.id, instances });
    for (const instance of fresh) this.#tell(service, environment, instance);
    return Promise.resolve();
  }

  observe(service: string, environment: string): Promise<EnvironmentObservation> {
    if (this.down !== null) return Promise.reject(this.down);
    const running = this.#running.get(`${service}/${environment}`);
    if (running === undefined) return Promise.resolve({ environment, release: null, state: "absent", instances: [] });
    const ready = running.instances.every(({ state }) => state === "ready");
    return Promise.resolve({
      environment,
      release: running.release,
      state: ready ? "ready" : "starting",
      instances: running.instances,
    });
  }

  stop(service: string, environment: string): Promise<void> {
    if (this.down !== null) return Promise.reject(this.down);
    if (this.#running.delete(`${service}/${environment}`)) this.stopped.push(environment);
    return Promise.resolve();
  }

  watch(listener: (service: string, environment: string, instance: InstanceStatus) => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener), { once: true });
  }

  /** What a test has put into `printed`; nothing comes later. */
  async *logs(service: string, environment: string): AsyncIterable<LogLine> {
    yield* this.printed.get(`${service}/${environment}`) ?? [];
  }

  /** The last instance of an environment has ended while nobody watched, and that is told. */
  lose(service: string, environment: string): void {
    const running = this.#running.get(`${service}/${environment}`);
    const lost = running?.instances.at(-1);
    if (running === undefined || lost === undefined) throw new Error(`${environment} does not run`);
    running.instances = running.instances.slice(0, -1);
    this.#tell(service, environment, { ...lost, state: "stopped", code: "keeper-down", address: null, pid: null });
  }

  /** Changes every instance of an environment, or `only` that one, and tells. */
  become(service: string, environment: string, change: Partial<InstanceStatus>, only?: number): void {
    const running = this.#running.get(`${service}/${environment}`);
    if (running === undefined) throw new Error(`${environment} does not run`);
    const isMeant = ({ ordinal }: InstanceStatus): boolean => only === undefined || ordinal === only;
    running.instances = running.instances.map((instance) =>
      isMeant(instance) ? { ...instance, ...change } : instance,
    );
    for (const instance of running.instances.filter(isMeant)) this.#tell(service, environment, instance);
  }

  #tell(service: string, environment: string, instance: InstanceStatus): void {
    for (const listener of this.#listeners) listener(service, environment, instance);
  }
}
