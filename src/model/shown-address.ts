/**
 * What may be shown of an address, or of a path at one: a query, a fragment, a user or a password may be a credential.
 * `https://user:hush@host/x?key=hush` → `https://host/x?…`.
 */
export function shownAddress(written: string): string {
  const isPath = /^\/(?!\/)/.test(written);
  const url = isPath ? null : URL.parse(written);
  // What has no origin, such as a file, reads "null" there.
  if (!isPath && (url === null || url.origin === "null")) return "an address";
  const path = url === null ? (/^[^?#]*/.exec(written)?.[0] ?? "") : url.pathname === "/" ? "" : url.pathname;
  return `${url?.origin ?? ""}${path}${/^[^#]*\?/.test(written) ? "?…" : ""}`;
}
