import type { Outbox } from "./outbox.ts";

/** One side of a tunnel. */
export interface TunnelEnd {
  readonly isStuffed: boolean;
  pause(): void;
  resume(): void;
  send(outbox: Outbox): void;
  /** Ends our direction, after what was written. */
  end(): void;
  /** Ends our direction, after what was written, and then the connection. */
  finish(): void;
}

/** Bytes both ways, reading neither side faster than the other takes them; each direction ends by itself. */
export class Tunnel {
  readonly #outbox: Outbox;
  readonly #client: TunnelEnd;
  readonly #upstream: TunnelEnd;

  constructor(outbox: Outbox, client: TunnelEnd, upstream: TunnelEnd) {
    this.#outbox = outbox;
    this.#client = client;
    this.#upstream = upstream;
  }

  fromClient(bytes: Buffer, from: number, to: number): void {
    this.#carry(bytes, from, to, this.#client, this.#upstream);
  }

  fromUpstream(bytes: Buffer, from: number, to: number): void {
    this.#carry(bytes, from, to, this.#upstream, this.#client);
  }

  clientEnded(): void {
    this.#upstream.end();
  }

  upstreamEnded(): void {
    this.#client.end();
  }

  clientDrained(): void {
    this.#upstream.resume();
  }

  upstreamDrained(): void {
    this.#client.resume();
  }

  upstreamClosed(): void {
    this.#client.finish();
  }

  #carry(bytes: Buffer, from: number, to: number, source: TunnelEnd, target: TunnelEnd): void {
    this.#outbox.append(bytes, from, to);
    target.send(this.#outbox);
    if (target.isStuffed) source.pause();
  }
}
