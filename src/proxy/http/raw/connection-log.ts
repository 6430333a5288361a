import type { AccessEntry, AccessSink } from "../access-entry.ts";
import type { Refusal } from "../refusal.ts";
import { clientAddress } from "./message/client-address.ts";
import { FIELD, valueOf } from "./message/field.ts";
import type { ForwardingRules, Peer, RequestHead } from "./message/types.ts";

/** The access log's entry of the request that a connection has at the moment. */
export class ConnectionLog {
  /** Bytes that the connection has been given to write, in all. */
  readonly #written: () => number;
  readonly #sink: AccessSink;
  readonly #peer: Peer;
  readonly #rules: ForwardingRules;
  #entry: AccessEntry | null = null;
  #writtenBefore = 0;

  constructor(sink: AccessSink, peer: Peer, rules: ForwardingRules, written: () => number) {
    this.#sink = sink;
    this.#peer = peer;
    this.#rules = rules;
    this.#written = written;
  }

  get entry(): AccessEntry | null {
    return this.#entry;
  }

  begin(head: RequestHead): void {
    const entry = this.#begin();
    const query = head.target.indexOf("?");
    entry.client = clientAddress(head, this.#peer, this.#rules);
    entry.method = head.method;
    entry.host = head.host === "" ? null : head.host;
    entry.path = query < 0 ? head.target : head.target.slice(0, query);
    entry.requestId = head.hasRequestId ? valueOf(head, FIELD.xRequestId) : null;
    entry.bytesIn = head.size;
  }

  /** Bytes that are no request, of which nothing is known but who sent them. */
  beginUnread(bytes: number): void {
    const entry = this.#begin();
    entry.client = this.#peer.address;
    entry.bytesIn = bytes;
  }

  took(bytes: number): void {
    if (this.#entry !== null) this.#entry.bytesIn += bytes;
  }

  named(requestId: string): string {
    if (this.#entry !== null) this.#entry.requestId = requestId;
    return requestId;
  }

  refused({ status, code }: Refusal): void {
    if (this.#entry === null) return;
    this.#entry.status = status;
    this.#entry.tealError = code;
  }

  end(isAborted: boolean): void {
    const entry = this.#entry;
    if (entry === null) return;
    this.#entry = null;
    entry.isAborted = isAborted;
    entry.bytesOut = this.#written() - this.#writtenBefore;
    this.#sink.end(entry);
  }

  #begin(): AccessEntry {
    this.end(true);
    this.#writtenBefore = this.#written();
    this.#entry = this.#sink.begin();
    return this.#entry;
  }
}
