import type { FileHandle } from "node:fs/promises";
import type { LogLine } from "../../../ports/environment.ts";
import { openIfThere, parseLine } from "./log-file.ts";

/** Read at once at most; the next look takes the rest. */
const MOST_BYTES = 1024 * 1024;

/** Reads what is appended to one instance's log, across its rotations: an open file is read to its end before the next. */
export class LogFollower {
  readonly #path: string;
  readonly #instance: string;
  #file: FileHandle | null = null;
  #inode = 0;
  #offset = 0;
  #rest = Buffer.alloc(0);

  /** @param offset where to go on in the file that has the inode `inode`; a file with another is read from its start */
  constructor(path: string, instance: string, from: { readonly inode: number; readonly offset: number }) {
    this.#path = path;
    this.#instance = instance;
    this.#inode = from.inode;
    this.#offset = from.offset;
  }

  async read(): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    if (this.#file === null) await this.#open();
    while (this.#file !== null) {
      const before = this.#offset;
      lines.push(...(await this.#readOn(this.#file)));
      if (this.#offset !== before || !(await this.#rotated())) break;
      await this.close();
      await this.#open();
    }
    return lines;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }

  async #open(): Promise<void> {
    this.#file = await openIfThere(this.#path);
    const inode = (await this.#file?.stat())?.ino;
    if (inode === undefined || inode === this.#inode) return;
    this.#inode = inode;
    this.#offset = 0;
    this.#rest = Buffer.alloc(0);
  }

  async #rotated(): Promise<boolean> {
    await using now = await openIfThere(this.#path);
    return now !== null && (await now.stat()).ino !== this.#inode;
  }

  async #readOn(file: FileHandle): Promise<LogLine[]> {
    const size = (await file.stat()).size;
    const length = Math.min(size - this.#offset, MOST_BYTES);
    if (length <= 0) return [];
    const chunk = Buffer.alloc(length);
    const { bytesRead } = await file.read(chunk, 0, length, this.#offset);
    this.#offset += bytesRead;
    const bytes = Buffer.concat([this.#rest, chunk.subarray(0, bytesRead)]);
    const end = bytes.lastIndexOf(10) + 1;
    this.#rest = bytes.subarray(end);
    const texts = bytes.subarray(0, end).toString("utf8").split("\n");
    return texts.flatMap((text) => parseLine(text, this.#instance) ?? []);
  }
}
