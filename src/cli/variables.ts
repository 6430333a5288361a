/** Values of this process's own environment for the `${env:X}` references of teal.yaml: what a request to the server brings along. */
export function variablesFor(
  references: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const pairs = references.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(pairs);
}
