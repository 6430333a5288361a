import { parseArgs } from "node:util";

export interface BenchOptions {
  /** Under 50 s, with the same fields. */
  readonly quick: boolean;
  /** Traffic driver, or what Teal is compared with. */
  readonly driver: string;
}

/**
 * @param drivers what `--driver` may name; the first is the default
 * @throws TypeError on an unknown option or driver
 */
export function benchOptions(
  drivers: readonly string[] = ["embedded"],
  argv: readonly string[] = process.argv.slice(2),
): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: { quick: { type: "boolean", default: false }, driver: { type: "string" } },
  });
  const driver = values.driver ?? drivers[0] ?? "";
  if (!drivers.includes(driver)) throw new TypeError(`there is no driver ${driver}; there is ${drivers.join(", ")}`);
  return { quick: values.quick, driver };
}

/** The smallest value that at least `percent` of the sorted values do not exceed (nearest rank). */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
