import { spawnSync } from "node:child_process";
import { closeSync, fstatSync, ftruncateSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** What a disk has to hold all the room that is left. */
const REFILL_EVERY_MS = 20;
/** What such a disk is given away in, and what SQLite writes. */
const PAGE_BYTES = 4_096;

/** A disk of its own, in memory, so small that a test can fill it. */
export class SmallDisk {
  readonly path: string;
  readonly #filler: string;

  private constructor(path: string) {
    this.path = path;
    this.#filler = join(path, "filler");
  }

  /** On a folder that there is; null where this user may not mount one. */
  static mount(path: string, mib: number): SmallDisk | null {
    const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${String(mib)}m`, "tmpfs", path]);
    return status === 0 ? new SmallDisk(path) : null;
  }

  /** Takes all the room that is left, but for so many pages. */
  fill(pagesLeft = 0): void {
    const file = openSync(this.#filler, "a");
    try {
      for (let chunk = Buffer.alloc(64 * 1024, 1); chunk.length > 0;) {
        try {
          writeSync(file, chunk);
        } catch {
          chunk = chunk.subarray(0, Math.floor(chunk.length / 2));
        }
      }
      ftruncateSync(file, Math.max(0, fstatSync(file).size - pagesLeft * PAGE_BYTES));
    } finally {
      closeSync(file);
    }
  }

  /** Gives it back. */
  free(): void {
    rmSync(this.#filler, { force: true });
  }

  /** Full until `during` is over: room that is given up for what has to be written (the ballast, old logs) is taken, too. */
  async fullDuring<T>(during: () => Promise<T>): Promise<T> {
    const over = new AbortController();
    const filling = (async () => {
      while (!over.signal.aborted) {
        this.fill();
        // The abort is looked at by the loop's own condition.
        await sleep(REFILL_EVERY_MS, undefined, { signal: over.signal }).catch(() => undefined);
      }
    })();
    try {
      return await during();
    } finally {
      over.abort();
      await filling;
      this.free();
    }
  }

  /** Also when something still has a file of it open: the rest goes with that. */
  [Symbol.dispose](): void {
    if (spawnSync("umount", [this.path]).status !== 0) spawnSync("umount", ["-l", this.path]);
  }
}
