import { mkdir, open, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock } from "../model/time.ts";
import { renameIfThere, shiftNumbered } from "../wire/numbered-files.ts";

/** Written at most every so often when the disk refuses. */
const RETRY_MS = 1_000;

export interface LogLimits {
  readonly maxBytes: number;
  /** Files in all, the current one included. */
  readonly files: number;
  /** Bytes waiting to be written; lines beyond are dropped. */
  readonly maxPending: number;
}
export const LOG_LIMITS: LogLimits = { maxBytes: 10 * 1024 * 1024, files: 5, maxPending: 1024 * 1024 };

/**
 * A file of lines, `<ISO time> <text>`, that never makes its writer wait and never throws: when the disk refuses, or is too slow,
 * lines are dropped and counted, and the count is written once it works again.
 */
export class RotatingLog {
  readonly path: string;
  readonly #clock: Clock;
  readonly #limits: LogLimits;
  #file: FileHandle | null = null;
  #size = 0;
  #pending: string[] = [];
  #pendingBytes = 0;
  #dropped = 0;
  #why = "";
  #working: Promise<void> | null = null;
  #retryAt = 0;
  #retry: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(path: string, clock: Clock, limits: LogLimits = LOG_LIMITS) {
    this.path = path;
    this.#clock = clock;
    this.#limits = limits;
  }

  write(text: string): void {
    const line = `${new Date(this.#clock.now()).toISOString()} ${text}\n`;
    if (this.#pendingBytes + line.length > this.#limits.maxPending) {
      this.#drop(1, "the disk is too slow");
      return;
    }
    this.#pending.push(line);
    this.#pendingBytes += line.length;
    this.#begin();
  }

  /** Resolves when what was written before has been tried. */
  async settled(): Promise<void> {
    await this.#working;
  }

  /** Writes what waits, as far as the disk takes it, and closes the file. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retryAt = 0;
    this.#begin();
    await this.#working;
    await this.#closeFile();
  }

  #begin(): void {
    if (this.#working !== null || this.#clock.monotonic() < this.#retryAt) return;
    this.#working = this.#flush().finally(() => {
      this.#working = null;
    });
  }

  async #flush(): Promise<void> {
    while (this.#pending.length > 0 || (this.#dropped > 0 && this.#retryAt === 0)) {
      const lines = this.#pending;
      this.#pending = [];
      this.#pendingBytes = 0;
      try {
        await this.#append(lines);
        this.#retryAt = 0;
      } catch (thrown) {
        this.#drop(lines.length, thrown instanceof Error ? thrown.message : String(thrown));
        await this.#closeFile();
        this.#retryLater();
        return;
      }
    }
  }

  #retryLater(): void {
    if (this.#closed) return;
    this.#retryAt = this.#clock.monotonic() + RETRY_MS;
    this.#retry = setTimeout(() => {
      this.#retryAt = 0;
      this.#begin();
    }, RETRY_MS).unref();
  }

  async #append(lines: readonly string[]): Promise<void> {
    const dropped = this.#dropped;
    const lost = dropped === 1 ? "1 line was" : `${String(dropped)} lines were`;
    const note =
      dropped === 0 ? "" : `${new Date(this.#clock.now()).toISOString()} [teal] ${lost} dropped: ${this.#why}\n`;
    const bytes = Buffer.from(note + lines.join(""));
    let file = await this.#open();
    if (this.#size > 0 && this.#size + bytes.length > this.#limits.maxBytes) {
      await this.#closeFile();
      await shiftNumbered(this.path, this.#limits.files);
      await renameIfThere(this.path, `${this.path}.1`);
      file = await this.#open();
    }
    await file.appendFile(bytes);
    this.#size += bytes.length;
    this.#dropped -= dropped;
  }

  async #open(): Promise<FileHandle> {
    if (this.#file !== null) return this.#file;
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    const file = await open(this.path, "a", 0o600);
    this.#size = (await file.stat()).size;
    this.#file = file;
    return file;
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    // Nothing can be done for a file that does not close; its lines are written or counted already.
    await file?.close().catch(() => undefined);
  }

  #drop(lines: number, why: string): void {
    this.#dropped += lines;
    this.#why = why;
  }
}
