import { isIP } from "node:net";

/** One hop of Forwarded (RFC 7239, 4), parameters in lower case and without their quotes. */
export type ForwardedElement = Readonly<Partial<Record<"for" | "by" | "host" | "proto", string>>>;

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
/** RFC 7239, 4: `forwarded-pair` or nothing, and what stands behind it. */
const PAIR = new RegExp(
  `[ \\t]*(?:(${TOKEN})=(?:(${TOKEN})|"((?:[^"\\\\]|\\\\[\\t -~\\x80-\\xff])*)"))?[ \\t]*([;,]|$)`,
  "y",
);

/** The hops that a Forwarded value tells, the client's first; null when it is not well-formed: none of it is believed. */
export function parseForwarded(value: string): readonly ForwardedElement[] | null {
  const elements: ForwardedElement[] = [];
  let element: Record<string, string> = {};
  for (let at = 0; ;) {
    PAIR.lastIndex = at;
    const [all, name, token, quoted, end] = PAIR.exec(value) ?? [];
    if (all === undefined) return null;
    at += all.length;
    const key = name?.toLowerCase();
    // RFC 7239, 4: each parameter at most once per element.
    if (key !== undefined && key in element) return null;
    if (key !== undefined) element[key] = token ?? (quoted ?? "").replaceAll(/\\(.)/g, "$1");
    if (end === ";") continue;
    if (Object.keys(element).length > 0) elements.push(element);
    element = {};
    if (end !== ",") return elements;
  }
}

/**
 * The address of a node as X-Forwarded-For and Forwarded write it (RFC 7239, 6): with or without a port, IPv6 with or
 * without brackets. Null: `unknown`, an obfuscated name, or nothing that is an address.
 */
export function nodeAddress(node: string): string | null {
  const trimmed = node.trim();
  const [, v6, v4] = /^(?:\[([0-9A-Fa-f:.]+)\]|(\d+\.\d+\.\d+\.\d+))(?::\d{1,5})?$/.exec(trimmed) ?? [];
  const address = v6 ?? v4 ?? trimmed;
  return isIP(address) === 0 || address.includes("%") ? null : address.replace(/^::ffff:(?=\d+\.)/i, "");
}

/** A node for Forwarded: IPv6 in brackets and quotes (RFC 7239, 6), anything that is no address `unknown`. */
export function forwardedNode(address: string | null): string {
  if (address === null || isIP(address) === 0 || address.includes("%")) return "unknown";
  return address.includes(":") ? `"[${address}]"` : address;
}

const WHOLE_TOKEN = new RegExp(`^${TOKEN}$`);

/** A parameter's value: a token as it is, anything else quoted. */
export function forwardedValue(value: string): string {
  return WHOLE_TOKEN.test(value) ? value : `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
}
