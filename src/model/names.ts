/**
 * Versions, git refs, service and environment names: what may stand in a URL, a folder name and an argument list
 * without quoting. DESIGN section 10.
 */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/;

export function isName(value: string): boolean {
  return NAME_PATTERN.test(value) && !value.includes("..");
}

/** The pair of environments that a service has unless it names its own. */
export const DEFAULT_ENVIRONMENTS = ["blue", "green"] as const;

/** The other one of the default pair. */
export function otherOf(environment: string): string {
  const [first, second] = DEFAULT_ENVIRONMENTS;
  return environment === first ? second : first;
}
