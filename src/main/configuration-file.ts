import type { TealConfig } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { readPage } from "../config/page.ts";
import { resolveVariables } from "../config/resolve.ts";
import { DRIVER_NAMES } from "../drivers/names.ts";
import type { MaintenancePage } from "../model/maintenance.ts";
import type { EnvironmentSpec, ServiceSpec } from "../model/service.ts";
import type { ConfigurationSource } from "../ports/configuration.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** teal.yaml at its place on this disk, with the server's environment, and over it what requests have brought. */
export class ConfigurationFile implements ConfigurationSource {
  readonly #file: string;
  readonly #environment: Variables;
  /** Values of `${env:X}` that came with requests; in memory alone, and only names that the file refers to. */
  readonly #brought = new Map<string, string>();
  #config: TealConfig | null = null;

  constructor(file: string, environment: Variables) {
    this.#file = file;
    this.#environment = environment;
  }

  /** What the last good reading says of the proxy; null when there has been none. */
  get proxy(): TealConfig["proxy"] | null {
    return this.#config?.proxy ?? null;
  }

  services(): readonly string[] {
    return Object.keys(this.#config?.services ?? {});
  }

  async load(variables: Readonly<Record<string, string>>): Promise<readonly ServiceSpec[]> {
    const merged = { ...this.#environment, ...Object.fromEntries(this.#brought), ...variables };
    const config = await loadConfig(this.#file, { variables: merged, ...DRIVER_NAMES });
    for (const name of config.references) {
      const value = variables[name];
      if (value !== undefined) this.#brought.set(name, value);
    }
    this.#config = config;
    return Object.values(config.services);
  }

  page(path: string): Promise<MaintenancePage> {
    return Promise.try(() => readPage(path));
  }

  resolve(spec: EnvironmentSpec): Promise<Readonly<Record<string, string>>> {
    return resolveVariables(spec, { ...this.#environment, ...Object.fromEntries(this.#brought) });
  }
}
