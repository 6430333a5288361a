import { chownSync, closeSync, constants, openSync, rmSync, statSync } from "node:fs";
import { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import type { Fifos } from "./fifos.ts";
import { LAST_LINES, lastWords } from "./last-words.ts";
import { LineSplitter } from "./line-splitter.ts";
import type { RotatingLog } from "./rotating-log.ts";

/**
 * What an instance prints, through a FIFO into its log. The app holds the FIFO open for reading and writing, so the death
 * of the keeper neither ends it (SIGPIPE) nor loses a line: up to 64 KiB wait in the kernel for the next keeper.
 */
export class InstanceOutput {
  readonly #fifo: string;
  readonly #log: RotatingLog;
  readonly #reader: Socket;
  readonly #lines = new LineSplitter();
  /** The last lines that were not empty, oldest first. */
  #recent: string[] = [];

  private constructor(fifo: string, log: RotatingLog, reader: Socket) {
    this.#fifo = fifo;
    this.#log = log;
    this.#reader = reader;
    reader.on("data", (chunk: Buffer) => {
      for (const line of this.#lines.push(chunk)) this.#keep(line);
    });
    reader.on("error", (error) => {
      log.write(`[teal] the output cannot be read any more: ${error.message}`);
    });
  }

  /** Makes the FIFO unless it is there, and begins to read it. */
  static async open(fifo: string, log: RotatingLog, fifos: Fifos): Promise<InstanceOutput> {
    if (!isFifo(fifo)) await fifos.make(fifo);
    // Open for writing as well, so that it does not end while no app has it.
    const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    return new InstanceOutput(fifo, log, new Socket({ fd, readable: true, writable: false }));
  }

  /** A descriptor for the app's stdout and stderr; the caller closes its own after the spawn. */
  openForApp(owner: { readonly uid: number; readonly gid: number } | null): number {
    // Apps that open /dev/stdout themselves need the right to.
    if (owner !== null) chownSync(this.#fifo, owner.uid, owner.gid);
    return openSync(this.#fifo, constants.O_RDWR);
  }

  /** A line of Teal's own in the app's log. */
  note(text: string): void {
    this.#log.write(`[teal] ${text}`);
  }

  /** Everything that an ended app has written is read then: one turn of the event loop reads more than a FIFO holds. */
  async drained(): Promise<void> {
    for (let turns = 0; turns < 3; turns += 1) await turn();
    for (const line of this.#lines.flush()) this.#keep(line);
  }

  /** What the app that has just ended said of why; null when nothing. The next one begins anew. */
  takeLastWords(): string | null {
    const words = lastWords(this.#recent);
    this.#recent = [];
    return words;
  }

  /** Reads no more, leaves the FIFO to another keeper, and writes what was read. */
  async handOver(): Promise<void> {
    this.#reader.destroy();
    for (const line of this.#lines.flush()) this.#keep(line);
    await this.#log.close();
  }

  async close(): Promise<void> {
    await this.drained();
    this.#reader.destroy();
    rmSync(this.#fifo, { force: true });
    await this.#log.close();
  }

  #keep(line: string): void {
    if (line.trim() !== "") {
      this.#recent.push(line.slice(0, 500));
      if (this.#recent.length > LAST_LINES) this.#recent.shift();
    }
    this.#log.write(line);
  }
}

function isFifo(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFIFO() ?? false;
}

/** Opens, hands out and closes a descriptor around `use`. */
export async function withDescriptor<T>(fd: number, use: (fd: number) => Promise<T>): Promise<T> {
  try {
    return await use(fd);
  } finally {
    closeSync(fd);
  }
}
