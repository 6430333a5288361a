/** `http://user:secret@host/x?key=1` → `http://host/x`: what may be shown of an address. */
export function shownUrl(value: unknown): string {
  const url = typeof value === "string" ? URL.parse(value) : null;
  return url === null ? "an address from a reference" : `${url.origin}${url.pathname === "/" ? "" : url.pathname}`;
}

/** A setting that is text; what came by a reference is not shown. */
export function shownText(value: unknown): string {
  return typeof value === "string" ? value : "a reference";
}
