const VERSION_00 = 55;

/**
 * Whether a traceparent is valid (W3C Trace Context, 3.2): of version 00 exactly, of a later one (never ff) as far as it
 * must look the same; lower-case, neither of the ids all zeros.
 */
export function isTraceparent(value: string): boolean {
  const [, version, trace, parent, rest] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/.exec(value) ?? [];
  if (version === undefined || version === "ff" || /^0+$/.test(trace ?? "") || /^0+$/.test(parent ?? "")) return false;
  return version === "00" ? value.length === VERSION_00 : rest !== "-";
}

/** A new trace of version 00, marked as sampled. `hex`: 48 random hexadecimal digits in lower case. */
export function newTraceparent(hex: string): string {
  // RFC-conforming randomness is never all zeros in practice; this makes it never at all.
  const ids = hex.replace(/^0{32}/, `${"0".repeat(31)}1`).replace(/0{16}$/, `${"0".repeat(15)}1`);
  return `00-${ids.slice(0, 32)}-${ids.slice(32, 48)}-01`;
}
