import { shownAddress } from "../../model/shown-address.ts";

/** What may be shown of an address or a path; what came by a reference is not shown. */
export function shownUrl(value: unknown): string {
  return typeof value === "string" ? shownAddress(value) : "an address from a reference";
}

/** A setting that is text; what came by a reference is not shown. */
export function shownText(value: unknown): string {
  return typeof value === "string" ? value : "a reference";
}
