import type { TealConfig } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import type { SourceState } from "../config/source-state.ts";
import { DRIVER_NAMES } from "../drivers/names.ts";

/**
 * teal.yaml, checked against the drivers that there are.
 * @param sources gathers what it was made from
 * @throws `config-missing`, `config-invalid`, `secret-missing`
 */
export function readConfig(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
  sources: SourceState = new Map(),
): Promise<TealConfig> {
  return loadConfig(file, { variables: env, sources, ...DRIVER_NAMES });
}
