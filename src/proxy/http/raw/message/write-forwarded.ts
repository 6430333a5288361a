import { toldHops } from "./client-address.ts";
import { FIELD, type FieldId, valueOf } from "./field.ts";
import { type ForwardedElement, forwardedNode, forwardedValue, parseForwarded } from "./forwarded.ts";
import type { Peer, RequestContext, RequestHead } from "./types.ts";

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/;
const PORT = /^[1-9]\d{0,4}$/;
const SAYS_WHO =
  (1 << FIELD.forwarded) |
  (1 << FIELD.xForwardedFor) |
  (1 << FIELD.xForwardedProto) |
  (1 << FIELD.xForwardedHost) |
  (1 << FIELD.xForwardedPort);

/** The lines that tell an instance who asked; a stranger's own are replaced, a trusted proxy's continued. */
export function forwardedLines(head: RequestHead, context: RequestContext): string {
  const { peer, rules } = context;
  if (rules.fields === "none") return "";
  const isContinued = peer.isTrusted && (head.seen & SAYS_WHO) !== 0;
  const plain = rules.fields === "rfc7239" ? "" : isContinued ? continuedPlain(head, context) : begunPlain(head, peer);
  if (rules.fields === "x-forwarded") return plain;
  return `${plain}Forwarded: ${isContinued ? before(head, context) : ""}${own(head, peer)}\r\n`;
}

function begunPlain(head: RequestHead, { plainLines }: Peer): string {
  return head.host === "" ? plainLines : `${plainLines}X-Forwarded-Host: ${head.host}\r\n`;
}

/** Our own hop (RFC 7239, 4). A Host has neither quotes nor backslashes; only its colon has to be quoted. */
function own(head: RequestHead, { scheme, forwardedFor }: Peer): string {
  return `${forwardedFor};proto=${scheme}${head.host === "" ? "" : `;host="${head.host}"`}`;
}

function continuedPlain(head: RequestHead, { peer, rules }: RequestContext): string {
  const told = valueOf(head, FIELD.xForwardedFor);
  // RFC 7239, 7.4: from Forwarded, when the proxy in front speaks that alone.
  const hops = told === null || told === "" ? toldHops(head, rules).map((hop) => hop ?? "unknown") : [told];
  const { proto, host } = outermost(head);
  const toldPort = onlyValue(head, FIELD.xForwardedPort);
  const port = toldPort !== null && PORT.test(toldPort) && Number(toldPort) <= 65_535 ? toldPort : portOf(host, proto);
  const outerHost = host ?? head.host;
  return [
    `X-Forwarded-For: ${[...hops, peer.address].join(", ")}\r\n`,
    `X-Forwarded-Proto: ${proto ?? peer.scheme}\r\n`,
    `X-Forwarded-Port: ${port ?? String(peer.port)}\r\n`,
    outerHost === "" ? "" : `X-Forwarded-Host: ${outerHost}\r\n`,
  ].join("");
}

/** What the client used, as the proxies in front tell it. */
function outermost(head: RequestHead): { readonly proto: string | null; readonly host: string | null } {
  const elements = valueOf(head, FIELD.forwarded);
  const isPlain = valueOf(head, FIELD.xForwardedFor) !== null || elements === null;
  const first: ForwardedElement | undefined = isPlain ? undefined : parseForwarded(elements)?.[0];
  const proto = onlyValue(head, FIELD.xForwardedProto) ?? first?.proto ?? null;
  const host = onlyValue(head, FIELD.xForwardedHost) ?? first?.host ?? null;
  return { proto: proto !== null && SCHEME.test(proto) ? proto : null, host };
}

/** Of the host that the client asked for; else the scheme's own. */
function portOf(host: string | null, proto: string | null): string | null {
  const named = host === null ? undefined : /:([1-9]\d{0,4})$/.exec(host)?.[1];
  if (named !== undefined) return named;
  return proto === null ? null : /^(?:https|wss)$/i.test(proto) ? "443" : "80";
}

/** The hops before ours, with a comma behind them. What is not well-formed would spoil all: then ours alone is said. */
function before(head: RequestHead, { rules }: RequestContext): string {
  const told = valueOf(head, FIELD.forwarded);
  if (told !== null && told !== "") return parseForwarded(told) === null ? "" : `${told}, `;
  const { proto, host } = outermost(head);
  const about = `${proto === null ? "" : `;proto=${proto}`}${host === null ? "" : `;host=${forwardedValue(host)}`}`;
  const elements = toldHops(head, rules).map((hop, at) => `for=${forwardedNode(hop)}${at === 0 ? about : ""}, `);
  return elements.join("");
}

/** Null when it is repeated: which one is meant is anybody's guess. */
function onlyValue(head: RequestHead, id: FieldId): string | null {
  const value = (head.repeated & (1 << id)) === 0 ? valueOf(head, id) : null;
  return value === "" ? null : value;
}
