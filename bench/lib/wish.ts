import type { OutgoingHttpHeaders } from "node:http";
import type { Random } from "../../src/model/time.ts";

/** One request that is to be sent. Every one has an id, in `x-request-id` and in the body. */
export interface RequestWish {
  readonly id: string;
  /** What the ledger counts it under. */
  readonly kind: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer | null;
  /** Transfer-Encoding: chunked instead of Content-Length. */
  readonly chunked: boolean;
}

/** One kind of request in a mix. */
export interface RequestKind {
  /** Its share, relative to the others'. */
  readonly weight: number;
  readonly make: (id: string, random: Random) => RequestWish;
}

export function get(kind: string, path: (random: Random) => string): RequestKind["make"] {
  return (id, random) => ({
    id,
    kind,
    method: "GET",
    path: path(random),
    headers: { "x-request-id": id },
    body: null,
    chunked: false,
  });
}

function post(kind: string, chunked: boolean, mostBytes: number): RequestKind["make"] {
  return (id, random) => {
    const body = Buffer.from(JSON.stringify({ id, item: "x".repeat(Math.floor(random() * mostBytes)) }));
    const framing = chunked ? { "transfer-encoding": "chunked" } : { "content-length": body.length };
    const headers = { "x-request-id": id, "content-type": "application/json", ...framing };
    return { id, kind, method: "POST", path: "/orders", headers, body, chunked };
  };
}

/** What examples/web-node is asked: reads small and large, and orders, which must never take effect twice. */
export const MIXED: readonly RequestKind[] = [
  { weight: 60, make: get("get", () => "/") },
  { weight: 10, make: get("get-large", (random) => `/?bytes=${String(Math.floor(random() * 65_536))}`) },
  { weight: 15, make: post("post", false, 16_384) },
  { weight: 15, make: post("post-chunked", true, 65_536) },
];

/** Draws a kind by weight. */
export function draw(kinds: readonly RequestKind[], random: Random): RequestKind {
  let left = random() * kinds.reduce((sum, kind) => sum + kind.weight, 0);
  for (const kind of kinds) {
    left -= kind.weight;
    if (left < 0) return kind;
  }
  const last = kinds.at(-1);
  if (last === undefined) throw new Error("a mix needs at least one kind of request");
  return last;
}
