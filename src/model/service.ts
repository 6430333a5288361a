import type { Value } from "./value.ts";
import type { Milliseconds } from "./time.ts";
import type { Advance, GuardrailSpec } from "./guardrail.ts";
import type { MaintenanceSpec } from "./maintenance.ts";

export type { SecretReference, Value } from "./value.ts";

/**
 * A service as teal.yaml describes it, with every default filled in and every duration in milliseconds.
 * Paths are absolute. A value that came from `${env:X}` or `${file:P}` is a {@link SecretReference} until it is resolved
 * for a child process: secrets are kept as reference and hash, never in the clear.
 */
export interface ServiceSpec {
  readonly name: string;
  readonly release: ReleaseSource;
  readonly environment: EnvironmentSpec;
  readonly health: HealthSpec;
  readonly traffic: TrafficSpec;
  readonly deploy: DeploySpec;
  readonly database: DatabaseSpec | null;
  readonly notify: readonly NotifySpec[];
}

/** Where a release's files come from. `none`: the command finds its own artifact by $TEAL_VERSION. */
export type ReleaseSource =
  | { readonly kind: "dir"; readonly dir: string }
  | { readonly kind: "git"; readonly repository: string; readonly path: string }
  | { readonly kind: "tarball"; readonly dir: string }
  | { readonly kind: "none"; readonly dir: string };

export interface EnvironmentSpec {
  /** Name of an environment driver of the registry. */
  readonly driver: string;
  /** A string runs as `/bin/sh -c "exec …"`, a list runs as it is. */
  readonly command: string | readonly string[];
  /** Instances per environment, 1…1000. */
  readonly count: number;
  readonly env: Readonly<Record<string, Value>>;
  /** Files of NAME=value lines, absolute, with the SHA-256 (hex) of their contents when frozen. `env` wins over them, a later file over an earlier. */
  readonly envFiles: readonly { readonly path: string; readonly hash: string }[];
  readonly stop: { readonly signal: StopSignal; readonly timeoutMs: Milliseconds };
  /** Run as this user; null: as Teal's own user. */
  readonly user: string | null;
}

export const STOP_SIGNALS = ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGKILL"] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];

export interface HealthSpec {
  readonly path: string;
  readonly status: number;
  readonly intervalMs: Milliseconds;
  readonly timeoutMs: Milliseconds;
  /** Consecutive good answers that make an instance healthy. */
  readonly healthyAfter: number;
  /** Consecutive bad answers that make it unhealthy. */
  readonly unhealthyAfter: number;
  /** How long a start may take until every instance is healthy. */
  readonly deadlineMs: Milliseconds;
}

export interface TrafficSpec {
  /** Name of a traffic driver of the registry. */
  readonly driver: string;
  /** Host names served, lower case; empty: all. */
  readonly hosts: readonly string[];
  /** Path prefixes served; the longest match wins. */
  readonly paths: readonly string[];
  /** How long requests in flight on the old side may take after a switch. */
  readonly drainMs: Milliseconds;
  /** The same for WebSockets, event streams, and whatever streams either way when `drainMs` is over. */
  readonly longLivedMs: Milliseconds;
  /** What the data plane does by itself when the control plane is silent for 15 s in an unfinished shift. */
  readonly onControllerLoss: "revert" | "keep";
  /** What keeps a client on one side of a split; absent: nothing, each request is drawn anew. */
  readonly affinity?: AffinitySpec | undefined;
  /** Distinct users are counted, in windows of this length; absent: they are not. Follows from a guardrail. */
  readonly usersWindowMs?: Milliseconds | undefined;
  /** How maintenance is answered; absent: as {@link MAINTENANCE_DEFAULTS} say. No part of what the data plane has to know. */
  readonly maintenance?: MaintenanceSpec | undefined;
}

/** Where a request says whose it is: its cookie or header of this name (header names in lower case), or the client's address. */
export type AffinitySpec = "clientAddress" | { readonly cookie: string } | { readonly header: string };

export interface ShiftStep {
  /** Percent of traffic for the new environment, 1…99 (100 is implied at the end). */
  readonly weight: number;
  readonly forMs: Milliseconds;
}

/** A declared HTTP check of validation. */
export interface HttpCheck {
  readonly path: string;
  readonly status: number;
  /** Text that the body must contain; null: any. */
  readonly body: string | null;
  /** Longest allowed time to the whole answer; null: the step's deadline alone. */
  readonly withinMs: Milliseconds | null;
}

export interface ValidateSpec {
  /** A path that must answer 200 (JSON with `deployment_ready: false` refuses); null: none. */
  readonly endpoint: string | null;
  /** A command run with BASE_URL; null: none. */
  readonly smoke: string | readonly string[] | null;
  readonly checks: readonly HttpCheck[];
  /** For the whole of validation. */
  readonly deadlineMs: Milliseconds;
}

/** Requests of Teal's own to the instances of both environments, as evidence beside that of users. */
export interface ProbesSpec {
  /** Asked in turn; at least one. */
  readonly checks: readonly HttpCheck[];
  /** How often each environment is asked. */
  readonly everyMs: Milliseconds;
  /** One without its whole answer by then has failed. */
  readonly timeoutMs: Milliseconds;
}

export interface DeploySpec {
  readonly validate: ValidateSpec;
  readonly approval: "none" | "beforeShift";
  readonly shift: readonly ShiftStep[];
  /** What ends a step of the shift; absent: time. */
  readonly advance?: Advance;
  /** How long beyond a step's time evidence is waited for. */
  readonly maxWaitMs?: Milliseconds;
  readonly guardrails: GuardrailSpec;
  /** Absent: none. */
  readonly probes?: ProbesSpec;
  readonly bakeMs: Milliseconds;
  /** Percent of the traffic that stays on the old environment during the bake, 1…10; absent: none. */
  readonly bakeHoldback?: number;
  /** How long the old environment is kept warm after the deployment is done. */
  readonly keepStandbyMs: Milliseconds;
  /** Releases kept on disk beside those in use. */
  readonly keepReleases: number;
}

export interface DatabaseSpec {
  readonly url: Value;
  readonly expand: string | null;
  readonly contract: string | null;
}

export interface NotifySpec {
  readonly webhook: Value;
}
