import type { TealConfig } from "../config/config.ts";
import type { DirectAbort, DirectAbortOptions } from "../main/direct-abort.ts";
import type { DoctorOptions } from "../main/doctor/doctor.ts";
import type { Finding } from "../main/doctor/finding.ts";
import type { DownOptions, DownResult } from "../main/down.ts";
import type { RecordedTraffic, Replayed, Simulated, Simulation, SimulationWish } from "../main/simulate.ts";
import type { UpOptions, UpResult } from "../main/up.ts";
import type { ServiceSpec } from "../model/service.ts";
import type { TealClient } from "../sdk/client.ts";

export interface Caution {
  readonly service: string;
  readonly message: string;
}

/** What the composition root gives to the verbs; each loads its modules when it is first called. */
export interface Parts {
  /** Version of this package. */
  readonly version: string;
  /** How this command line is run, and by whom: absolute paths. */
  readonly program: { readonly node: string; readonly script: string; readonly user: string };
  /** @throws `config-invalid` with every problem, `config-missing`, `secret-missing` */
  loadConfig(file: string, env: Readonly<Record<string, string | undefined>>): Promise<TealConfig>;
  /** What a person should know before the services of a good teal.yaml are run: they are no errors. */
  cautions(config: TealConfig): Promise<readonly Caution[]>;
  /** Whether Teal has run beside this teal.yaml before, so that it can come back without reading it. */
  hasStarted(configFile: string): Promise<boolean>;
  /**
   * The client for the server of the state directory beside this teal.yaml.
   * @throws `usage` when that server runs with another file of the same folder
   */
  client(configFile: string): Promise<TealClient>;
  /**
   * The client for the API over TCP at `url`.
   * @throws `usage` for what is no such address, `unauthorized` without a token
   */
  remote(url: string, token: string): Promise<TealClient>;
  /** Plays many deployments of a described release; nothing of Teal has to run. */
  simulate(wish: SimulationWish): Promise<Simulated<Simulation>>;
  /** Judges recorded traffic by the guardrails of this configuration. */
  replay(traffic: RecordedTraffic, spec: ServiceSpec): Promise<Simulated<Replayed>>;
  up(options: Pick<UpOptions, "config" | "signal" | "say" | "consent" | "force" | "starter">): Promise<UpResult>;
  down(options: Omit<DownOptions, "clock">): Promise<DownResult>;
  /** Takes a deployment back at the proxy itself: needs neither server nor store. */
  directAbort(options: Omit<DirectAbortOptions, "clock" | "by">): Promise<DirectAbort>;
  /** Looks at everything that Teal stands on, and changes nothing. */
  doctor(options: Pick<DoctorOptions, "config" | "signal" | "noted">): Promise<readonly Finding[]>;
  /**
   * Resolves when no keeper answers any more for the state directory beside this teal.yaml: whether it was stopped, or has
   * died without a word.
   */
  ended(configFile: string, signal: AbortSignal): Promise<"stopped" | "died">;
}
