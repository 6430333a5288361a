import type { EnvironmentState, InstanceStatus } from "../model/environment.ts";
import type { Release } from "../model/release.ts";
import type { EnvironmentSpec } from "../model/service.ts";
import type { EpochMilliseconds } from "../model/time.ts";
import type { ActContext } from "./context.ts";

/** One environment of one service, with the release it is to run. */
export interface EnvironmentTarget {
  readonly service: string;
  readonly environment: string;
  readonly release: Release;
  /** What the child gets from `env` and `envFiles`, references resolved. Never logged, never stored. */
  readonly variables: Readonly<Record<string, string>>;
}

export interface EnvironmentObservation {
  readonly environment: string;
  /** The release that runs; null when nothing does. */
  readonly release: string | null;
  readonly state: EnvironmentState;
  readonly instances: readonly InstanceStatus[];
}

export interface LogLine {
  readonly at: EpochMilliseconds;
  readonly instance: string;
  readonly text: string;
}

/** Runs complete copies of a service. */
export interface EnvironmentDriver {
  readonly name: string;
  /** What a person should know before this is run; shown in the plan. */
  cautions(spec: EnvironmentSpec): readonly string[];
  /**
   * Ensures that `release.spec.environment.count` instances of exactly this release run (others of the same environment
   * are stopped first), and returns as soon as they are started; readiness is {@link observe}d.
   * @throws `command-not-found`, `release-missing`
   */
  start(target: EnvironmentTarget, context: ActContext): Promise<void>;
  /** What is there now. Cheap; never throws for an environment that is absent. */
  observe(service: string, environment: string, signal: AbortSignal): Promise<EnvironmentObservation>;
  /** Ensures that nothing runs: stop signal, its timeout, then SIGKILL. Returns when all have ended. */
  stop(service: string, environment: string, context: ActContext): Promise<void>;
  /** Calls back whenever an instance changes; ends when the signal aborts. */
  watch(listener: (service: string, environment: string, instance: InstanceStatus) => void, signal: AbortSignal): void;
  /** Log lines, oldest first: the last `lines`, and on as they come when `follow`. */
  logs(
    service: string,
    environment: string,
    options: { lines: number; follow: boolean; signal: AbortSignal },
  ): AsyncIterable<LogLine>;
}
