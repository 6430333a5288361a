import { loadConfig } from "../config/load.ts";
import { DRIVER_NAMES } from "../drivers/names.ts";
import type { TealConfig } from "../config/config.ts";

/** teal.yaml, checked against the drivers that there are. @throws `config-missing`, `config-invalid`, `secret-missing` */
export function readConfig(file: string, env: Readonly<Record<string, string | undefined>>): Promise<TealConfig> {
  const set = Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return loadConfig(file, {
    variables: Object.fromEntries(set),
    ...DRIVER_NAMES,
  });
}
