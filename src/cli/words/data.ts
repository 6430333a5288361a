import type { Weights } from "../../model/traffic.ts";

/** What an event's `data` holds, read without trust: a newer or older server may leave things out. */
export type Data = Readonly<Record<string, unknown>>;

export function text(data: Data, key: string): string | null {
  const value = data[key];
  return typeof value === "string" ? value : null;
}

export function number(data: Data, key: string): number | null {
  const value = data[key];
  return typeof value === "number" ? value : null;
}

export function weights(data: Data, key: string): Weights | null {
  const value = data[key];
  if (typeof value !== "object" || value === null) return null;
  const pairs: [string, unknown][] = Object.entries(value);
  const numbers = pairs.filter((pair): pair is [string, number] => typeof pair[1] === "number");
  return numbers.length === pairs.length ? Object.fromEntries(numbers) : null;
}

/** The object under a key, or an empty one. */
export function inner(data: Data, key: string): Data {
  const value = data[key];
  return typeof value === "object" && value !== null ? (value as Data) : {};
}
