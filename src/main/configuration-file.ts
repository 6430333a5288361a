import type { TealConfig } from "../config/config.ts";
import { readPage } from "../config/page.ts";
import { resolveValue, resolveVariables } from "../config/resolve.ts";
import { isUnchanged } from "../config/source-state.ts";
import type { MaintenancePage } from "../model/maintenance.ts";
import type { EnvironmentSpec, ServiceSpec, Value } from "../model/service.ts";
import type { ConfigurationSource } from "../ports/configuration.ts";
import type { ConfigQuestion, LoadedConfig } from "./config-thread.ts";

type Values = Readonly<Record<string, string>>;

interface Known extends LoadedConfig {
  /** Values of what the file refers to, as they were. */
  readonly variables: ReadonlyMap<string, string | undefined>;
}

/** teal.yaml at its place on this disk, with the server's environment, and over it what requests have brought. */
export class ConfigurationFile implements ConfigurationSource {
  readonly #file: string;
  readonly #environment: Values;
  readonly #read: (question: ConfigQuestion) => Promise<LoadedConfig>;
  /** Values of `${env:X}` that came with requests; in memory alone, and only names that the file refers to. */
  readonly #brought = new Map<string, string>();
  #known: Known | null = null;
  /** One reading at a time: those who come meanwhile then find the file unchanged. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    file: string,
    environment: Readonly<Record<string, string | undefined>>,
    read: (question: ConfigQuestion) => Promise<LoadedConfig>,
  ) {
    this.#file = file;
    this.#environment = Object.fromEntries(
      Object.entries(environment).filter((pair): pair is [string, string] => pair[1] !== undefined),
    );
    this.#read = read;
  }

  /** What the last good reading says of the proxy; null when there has been none. */
  get proxy(): TealConfig["proxy"] | null {
    return this.#known?.config.proxy ?? null;
  }

  /** The same of the API over TCP. */
  get server(): TealConfig["server"] | null {
    return this.#known?.config.server ?? null;
  }

  services(): readonly string[] {
    return Object.keys(this.#known?.config.services ?? {});
  }

  /** Looks at the file each time, and reads it when it, or anything that it refers to, is not what it was. */
  async load(variables: Values): Promise<readonly ServiceSpec[]> {
    const all = { ...this.#environment, ...Object.fromEntries(this.#brought), ...variables };
    const turn = this.#turn.then(async () => (await this.#current(all)) ?? (await this.#reload(all)));
    this.#turn = turn.catch(() => undefined);
    const { config } = await turn;
    for (const name of config.references) {
      const value = variables[name];
      if (value !== undefined) this.#brought.set(name, value);
    }
    return Object.values(config.services);
  }

  page(path: string): Promise<MaintenancePage> {
    return Promise.try(() => readPage(path));
  }

  resolve(spec: EnvironmentSpec): Promise<Values> {
    return resolveVariables(spec, { ...this.#environment, ...Object.fromEntries(this.#brought) });
  }

  text(value: Value): Promise<string> {
    return Promise.try(() => resolveValue(value, { ...this.#environment, ...Object.fromEntries(this.#brought) }));
  }

  async #current(variables: Values): Promise<Known | null> {
    const known = this.#known;
    if (known === null || [...known.variables].some(([name, value]) => variables[name] !== value)) return null;
    return (await isUnchanged(known.sources)) ? known : null;
  }

  async #reload(variables: Values): Promise<Known> {
    const { config, sources } = await this.#read({ file: this.#file, variables });
    const known = { config, sources, variables: new Map(config.references.map((name) => [name, variables[name]])) };
    this.#known = known;
    return known;
  }
}
