import { spawnSync } from "node:child_process";
import { close, constants, open, openSync, closeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const openLater = promisify(open);
const closeLater = promisify(close);
/** UV_THREADPOOL_SIZE of libuv, unless it is set. */
const THREADS = Number(process.env["UV_THREADPOOL_SIZE"] ?? 4);

/**
 * For tests: a disk that stands still. All threads that carry out this process's asynchronous file operations wait, each in
 * the open of a pipe that nobody writes to (fifo(7)); what is asked for later comes after them.
 */
export class HeldThreads implements AsyncDisposable {
  readonly #path: string;
  readonly #held: Promise<void>[] = [];

  constructor(folder: string) {
    this.#path = join(folder, "nobody-writes");
    const { status } = spawnSync("mkfifo", [this.#path]);
    if (status !== 0) throw new Error(`mkfifo: ${String(status)}`);
  }

  hold(): void {
    for (let thread = 0; thread < THREADS; thread += 1)
      this.#held.push(openLater(this.#path, constants.O_RDONLY).then((fd) => closeLater(fd)));
  }

  async letGo(): Promise<void> {
    const writer = openSync(this.#path, constants.O_RDWR);
    await Promise.all(this.#held.splice(0));
    closeSync(writer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.letGo();
  }
}
