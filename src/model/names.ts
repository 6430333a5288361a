/**
 * Versions, git refs, service and environment names: what may stand in a URL, a folder name and an argument list
 * without quoting. DESIGN section 10.
 */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/;

export function isName(value: string): boolean {
  return NAME_PATTERN.test(value) && !value.includes("..");
}

const MOST_NAMED = 20;

/** Names for a message: of very many the first ones, and how many more there are. */
export function namesInWords(names: readonly string[]): string {
  if (names.length <= MOST_NAMED) return names.join(", ");
  return `${names.slice(0, MOST_NAMED).join(", ")} and ${String(names.length - MOST_NAMED)} more`;
}

/** The pair of environments that a service has unless it names its own. */
export const DEFAULT_ENVIRONMENTS = ["blue", "green"] as const;

/** The other one of the default pair. */
export function otherOf(environment: string): string {
  const [first, second] = DEFAULT_ENVIRONMENTS;
  return environment === first ? second : first;
}
