import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, statSync, unlinkSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { Milliseconds } from "../../model/time.ts";

export interface BallastOptions {
  /** 8 MiB unless told. */
  readonly bytes?: number;
  /** Monotonic milliseconds. */
  readonly monotonic: () => Milliseconds;
  /** Free bytes on the disk of `path`; the system's answer unless told. */
  readonly freeBytes?: (path: string) => number;
}

/** No more than one look at the disk in this time while the ballast is gone. */
const LOOK_EVERY_MS = 5_000;
const MIB = 1024 * 1024;

/**
 * A file that only takes room. On a full disk it is dropped, so that the transitions of a rollback can still be written;
 * it comes back by itself once there is room for it and as much again.
 */
export class Ballast {
  readonly #path: string;
  readonly #bytes: number;
  readonly #monotonic: () => Milliseconds;
  readonly #freeBytes: (path: string) => number;
  #there: boolean;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(path: string, options: BallastOptions) {
    this.#path = path;
    this.#bytes = options.bytes ?? 8 * MIB;
    this.#monotonic = options.monotonic;
    this.#freeBytes = options.freeBytes ?? systemFreeBytes;
    this.#there = statSync(path, { throwIfNoEntry: false })?.size === this.#bytes;
  }

  get there(): boolean {
    return this.#there;
  }

  /** Gives its room back; true when it had any. Never throws: the error that called for it says more. */
  drop(): boolean {
    this.#there = false;
    this.#lookedAt = this.#monotonic();
    try {
      unlinkSync(this.#path);
      return true;
    } catch {
      // Not there, or the disk refuses even this.
      return false;
    }
  }

  /** Makes it when it is not there and there is room for twice its size. Never throws: without it, all else goes on. */
  ensure(): boolean {
    if (this.#there) return true;
    const now = this.#monotonic();
    if (now - this.#lookedAt < LOOK_EVERY_MS) return false;
    this.#lookedAt = now;
    try {
      if (this.#freeBytes(dirname(this.#path)) < 2 * this.#bytes) return false;
      this.#write();
      this.#there = true;
    } catch {
      // The disk filled up meanwhile or refuses: a half-made one must not take the last room. Tried again later.
      rmSync(this.#path, { force: true });
    }
    return this.#there;
  }

  #write(): void {
    const file = openSync(this.#path, "w", 0o600);
    try {
      // Random: a file system that compresses would take no room for zeros.
      const chunk = randomBytes(Math.min(this.#bytes, MIB));
      for (let left = this.#bytes; left > 0;) left -= writeSync(file, chunk, 0, Math.min(left, chunk.length));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }
}

function systemFreeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}
