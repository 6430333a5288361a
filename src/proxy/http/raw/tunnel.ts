import type { Exchange } from "../engine.ts";
import type { Link } from "./link.ts";
import type { Outbox } from "./outbox.ts";
import type { Upstream, UpstreamUser } from "./upstream.ts";

/**
 * What a request becomes after 101: bytes both ways, reading neither side faster than the other takes them. Each
 * direction ends by itself.
 */
export class Tunnel implements UpstreamUser {
  readonly #outbox: Outbox;
  readonly #client: Link;
  readonly #upstream: Upstream;
  readonly #exchange: Exchange;

  /** Takes over the instance's connection, and the exchange, which ends with the client's connection. */
  constructor(outbox: Outbox, client: Link, upstream: Upstream, exchange: Exchange) {
    this.#outbox = outbox;
    this.#client = client;
    this.#upstream = upstream;
    this.#exchange = exchange;
    upstream.user = this;
  }

  fromClient(bytes: Buffer, from: number, to: number): void {
    this.#carry(bytes, from, to, this.#client, this.#upstream.link);
  }

  clientEnded(): void {
    this.#upstream.link.end();
  }

  clientDrained(): void {
    this.#upstream.link.resume();
  }

  clientClosed(): void {
    this.#upstream.finish();
    this.#exchange.end();
  }

  upstreamConnected(): void {
    // It was, long ago.
  }

  upstreamReceived(bytes: Buffer, from: number, to: number): number {
    this.#carry(bytes, from, to, this.#upstream.link, this.#client);
    return to;
  }

  upstreamEnded(): void {
    this.#client.end();
  }

  upstreamDrained(): void {
    this.#client.resume();
  }

  upstreamClosed(): void {
    this.#client.finish();
  }

  upstreamDue(): void {
    // A tunnel may be silent.
  }

  #carry(bytes: Buffer, from: number, to: number, source: Link, target: Link): void {
    this.#outbox.append(bytes, from, to);
    target.send(this.#outbox);
    if (target.isStuffed) source.pause();
  }
}
