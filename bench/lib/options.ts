import { parseArgs } from "node:util";

export interface BenchOptions {
  /** Under 50 s, with the same fields. */
  readonly quick: boolean;
  /** Traffic driver, or what Teal is compared with. */
  readonly driver: string;
  /** Sizes that were asked for, by name. */
  readonly sizes: Readonly<Record<string, number>>;
}

interface Known {
  /** What `--driver` may name; the first is the default. */
  readonly drivers?: readonly string[];
  /** Options that take a whole number from 1 on. */
  readonly sizes?: readonly string[];
}

/** @throws TypeError on an unknown option or driver, and a size that is none */
export function benchOptions(
  { drivers = ["embedded"], sizes = [] }: Known = {},
  argv: readonly string[] = process.argv.slice(2),
): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: "boolean" },
      driver: { type: "string" },
      ...Object.fromEntries(sizes.map((name) => [name, { type: "string" as const }])),
    },
  });
  const { quick = false, driver = drivers[0] ?? "", ...asked } = values;
  if (!drivers.includes(driver)) throw new TypeError(`there is no driver ${driver}; there is ${drivers.join(", ")}`);
  const numbers = Object.entries(asked).map(([name, text]) => [name, sizeOf(name, String(text))] as const);
  return { quick, driver, sizes: Object.fromEntries(numbers) };
}

function sizeOf(name: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new TypeError(`--${name} is a whole number from 1 on, not ${text}`);
  return Number(text);
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
