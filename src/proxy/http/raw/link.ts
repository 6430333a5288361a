import type { Socket } from "node:net";
import { WRITE_BOUND_BYTES } from "./limits.ts";
import type { Outbox } from "./outbox.ts";

/** One side's connection, as what carries bytes sees it: how much waits to be taken, and whether it is read. */
export class Link {
  readonly socket: Socket;
  #isPaused = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** So much waits to be taken that the other side must not be read. */
  get isStuffed(): boolean {
    return this.socket.writableLength > WRITE_BOUND_BYTES;
  }

  /** Nothing waits to be taken. */
  get isDrained(): boolean {
    return this.socket.writableLength === 0;
  }

  pause(): void {
    if (this.#isPaused || this.socket.destroyed) return;
    this.#isPaused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#isPaused || this.socket.destroyed) return;
    this.#isPaused = false;
    this.socket.resume();
  }

  /** Writes what was put together; nobody gets it where the connection is no more. */
  send(outbox: Outbox): void {
    if (this.socket.destroyed) outbox.discard();
    else outbox.sendTo(this.socket);
  }

  /** Ends our direction, after what was written. */
  end(): void {
    this.socket.end();
  }

  /** Ends our direction, after what was written, and then the connection. */
  finish(): void {
    this.socket.destroySoon();
  }
}
