/** What each value may be at most, by its name in a benchmark's last line. */
export type Limits = Readonly<Record<string, number>>;

/** One sentence per value over its limit; null: not measured here, as a program that it is compared with is not installed. */
export function missed<L extends Limits>(
  limits: L,
  values: Readonly<Record<keyof L & string, number | null>>,
): readonly string[] {
  return Object.entries(limits).flatMap(([name, limit]) => {
    const value = values[name] ?? null;
    // Not a number is not within any limit.
    return value === null || value <= limit ? [] : [`${name} is ${String(value)}; the limit is ${String(limit)}`];
  });
}

/** Says what misses its limit, beside the last line, and has the benchmark exit with 1. */
export function mustReach<L extends Limits>(
  limits: L,
  values: Readonly<Record<keyof L & string, number | null>>,
): void {
  const lines = missed(limits, values);
  for (const line of lines) console.error(line);
  if (lines.length > 0) process.exitCode = 1;
}
