import { createRequire } from "node:module";
import type { Frame, Framing, MessageKind } from "./frame.ts";

type HeadersComplete = (
  ...head: [
    major: number,
    minor: number,
    fields: string[] | undefined,
    method: number | undefined,
    target: string | undefined,
    status: number | undefined,
    message: string | undefined,
    isUpgrade: boolean,
    keepAlive: boolean,
  ]
) => number;

/** Node's binding to llhttp: not in its documentation, and what its own server runs on. */
interface Parser {
  [hook: number]: HeadersComplete | ((...values: never[]) => void);
  initialize(kind: number, resource: object, maxHeaderBytes: number, leniency: number): void;
  execute(bytes: Buffer): number | Error;
  finish(): number | Error | undefined;
}
interface ParserClass {
  new (): Parser;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
  readonly kLenientNone: number;
}

const { HTTPParser, methods } = createRequire(import.meta.url)("node:_http_common") as {
  HTTPParser: ParserClass;
  methods: readonly string[];
};

/** llhttp numbers the methods of other protocols, too: QUERY, the last one here, comes after them. */
const methodName = (method: number | undefined): string => methods[method ?? -1] ?? methods.at(-1) ?? "";

const pairs = (flat: readonly string[]): string[] =>
  Array.from({ length: flat.length / 2 }, (_, at) => `${flat[2 * at] ?? ""}: ${flat[2 * at + 1] ?? ""}`);

/** How strict llhttp frames these bytes. `isToHead`: the answers are to HEAD. */
export function llhttpFraming(kind: MessageKind, parts: readonly Buffer[], isToHead = false): Framing {
  const frames: Frame[] = [];
  let early: string[] = [];
  let target = "";
  let isInBody = false;
  const last = (): Frame | undefined => frames.at(-1);
  const parser = new HTTPParser();
  parser.initialize(kind === "request" ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {}, 0, HTTPParser.kLenientNone);
  parser[HTTPParser.kOnHeaders] = (fields: string[], url: string) => {
    const frame = last();
    if (isInBody && frame !== undefined) frame.trailers = [...frame.trailers, ...pairs(fields)];
    else early = [...early, ...fields];
    target += isInBody ? "" : url;
  };
  const complete: HeadersComplete = (...head) => {
    const [, minor, fields = [], method, url = "", status, , isUpgrade, maySend] = head;
    // It only learns from this function's result that an answer to HEAD has no body.
    const keepAlive = maySend || isToHead;
    const start = kind === "request" ? `${methodName(method)} ${target}${url}` : String(status);
    const all = pairs([...early, ...fields]);
    frames.push({ start, minor, fields: all, keepAlive, isUpgrade, body: "", trailers: [], isComplete: false });
    early = [];
    target = "";
    isInBody = true;
    return isToHead ? 1 : 0;
  };
  parser[HTTPParser.kOnHeadersComplete] = complete;
  parser[HTTPParser.kOnBody] = (bytes: Buffer) => {
    const frame = last();
    if (frame !== undefined) frame.body += bytes.toString("latin1");
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    const frame = last();
    if (frame !== undefined) frame.isComplete = true;
    isInBody = false;
  };
  for (const part of parts) {
    const result = parser.execute(part);
    if (result instanceof Error)
      return { frames, refusal: "reason" in result ? String(result.reason) : result.message };
    if (last()?.isUpgrade === true) return { frames, refusal: null };
  }
  if (kind === "response" && isInBody) parser.finish();
  return { frames, refusal: null };
}
