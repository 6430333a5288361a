import type { MaintenancePage } from "../model/maintenance.ts";
import type { EnvironmentSpec, ServiceSpec, Value } from "../model/service.ts";

/** teal.yaml, as the engine needs it. Read anew at each deploy. */
export interface ConfigurationSource {
  /**
   * Reads the file. `variables` are values for its `${env:X}` that came with a request; they go over the server's own
   * environment and are remembered for later starts of this service, in memory alone.
   * @throws `config-invalid`, `config-missing`, `secret-missing`
   */
  load(variables: Readonly<Record<string, string>>): Promise<readonly ServiceSpec[]>;
  /** The maintenance page at this path. @throws `config-invalid` when there is none that can be served */
  page(path: string): Promise<MaintenancePage>;
  /** Names of the services as last loaded. */
  services(): readonly string[];
  /**
   * The variables of `env` and `envFiles` with their references resolved, for a child process.
   * @throws `secret-missing`
   */
  resolve(spec: EnvironmentSpec): Promise<Readonly<Record<string, string>>>;
  /** One value with its references resolved. @throws `secret-missing` */
  text(value: Value): Promise<string>;
}
