/**
 * A deeply frozen copy of plain data with its keys in alphabetical order, so that equal configurations are equal as JSON
 * too, in whatever order the file or the decoding had them.
 */
export function canonical<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map(copy));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.freeze(Object.fromEntries(entries.map(([key, item]) => [key, copy(item)])));
}
