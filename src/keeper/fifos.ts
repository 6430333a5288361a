import { execFile } from "node:child_process";
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Made beyond what is asked for. */
const STOCK = 8;
/** Made by one process: its arguments have a limit. */
const MOST_AT_ONCE = 256;

/**
 * Makes FIFOs. Node has no call for that, and a process of `mkfifo` for each takes as long as the start of a small app: one
 * process makes all that are asked for meanwhile and some more, which get their names when they are wanted.
 */
export class Fifos {
  readonly #folder: string;
  readonly #stock: string[] = [];
  #wanted = 0;
  #made = 0;
  #making: Promise<void> | null = null;

  /** @param folder on the same file system as what will be made; emptied at the first use */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes one, for its owner alone, in place of a file that is there. @throws when `mkfifo` fails, or the disk refuses */
  async make(path: string): Promise<void> {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    try {
      renameSync(await this.#next(), path);
    } catch (thrown) {
      if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT")) throw thrown;
      // Somebody has removed the stock.
      this.#stock.length = 0;
      renameSync(await this.#next(), path);
    }
  }

  async #next(): Promise<string> {
    this.#wanted += 1;
    try {
      for (;;) {
        const fifo = this.#stock.pop();
        if (fifo !== undefined) return fifo;
        this.#making ??= this.#more().finally(() => {
          this.#making = null;
        });
        await this.#making;
      }
    } finally {
      this.#wanted -= 1;
    }
  }

  async #more(): Promise<void> {
    // What an earlier keeper left.
    if (this.#made === 0) rmSync(this.#folder, { force: true, recursive: true });
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const count = Math.min(MOST_AT_ONCE, this.#wanted + STOCK);
    const paths = Array.from({ length: count }, (_, index) => join(this.#folder, String(this.#made + index)));
    this.#made += count;
    // Of coreutils and busybox.
    await run("mkfifo", ["-m", "600", ...paths]);
    this.#stock.push(...paths);
  }
}
