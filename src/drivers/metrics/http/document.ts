import type { MetricCounts, NoReading } from "../../../model/metric.ts";
import { none } from "../none.ts";
import { isThere, pointed } from "./pointer.ts";
import type { HttpSettings } from "./settings.ts";

/** What one document says: a gauge, counters, or why it says nothing. */
export type Said = { readonly gauge: number } | { readonly counts: MetricCounts } | NoReading;

export function readDocument(status: number, document: unknown, settings: HttpSettings): Said {
  const { pointer, of, total, counter } = settings;
  const number = numberAt(pointer, document, status);
  if (typeof number !== "number") return number;
  if (counter === true && total === undefined) return { counts: { bad: number, total: null } };
  const other = total ?? of;
  if (other === undefined) return { gauge: number };
  const all = numberAt(other, document, status);
  if (typeof all !== "number") return all;
  if (total !== undefined) return { counts: { bad: number, total: all } };
  return all === 0 ? none("no-number", `${other} is 0, and cannot be divided by`) : { gauge: number / all };
}

function numberAt(pointer: string, document: unknown, status: number): number | NoReading {
  const value = pointed(pointer, document);
  if (typeof value === "number" && Number.isFinite(value)) return value;
  const isNone = !isThere(value);
  const what = isNone ? "nothing" : "something that is no number";
  return none(
    isNone ? "nothing" : "no-number",
    `its answer${status === 200 ? "" : ` (${String(status)})`} has ${what} at ${pointer}`,
  );
}
