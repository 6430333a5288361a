const NOTHING = Symbol("nothing there");

/** What a JSON Pointer points to (RFC 6901, section 4); {@link isThere} tells whether there is anything. */
export function pointed(pointer: string, document: unknown): unknown {
  return pointer
    .split("/")
    .slice(1)
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce(step, document);
}

export function isThere(value: unknown): boolean {
  return value !== NOTHING;
}

function step(value: unknown, token: string): unknown {
  if (typeof value !== "object" || value === null) return NOTHING;
  // An array's index has no leading zeros; `-` is the element after the last, which there is never one of.
  if (Array.isArray(value) && !/^(?:0|[1-9]\d*)$/.test(token)) return NOTHING;
  return Object.hasOwn(value, token) ? (value as Readonly<Record<string, unknown>>)[token] : NOTHING;
}
