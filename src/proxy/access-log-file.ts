import { mkdir, open, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock } from "../model/time.ts";
import { renameIfThere, shiftNumbered } from "../wire/numbered-files.ts";

interface AccessLogOptions {
  readonly path: string;
  /** Size at which the file is put aside. */
  readonly fileBytes: number;
  /** Files in all. */
  readonly files: number;
  readonly clock: Pick<Clock, "now">;
}

/**
 * The access log of one process. Whole lines are appended in one write, so that the proxy that drains and the one in its
 * place may write to the same file; only the latter puts it aside. What the disk does not take is counted in the log, once
 * it takes something again.
 */
export class AccessLogFile {
  readonly #options: AccessLogOptions;
  #file: FileHandle | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #dropped = 0;
  #why = "";
  /** A write has failed, perhaps in the middle of a line. */
  #isTorn = false;
  #rotates = true;

  constructor(options: AccessLogOptions) {
    this.#options = options;
  }

  /** Whether the lines were written; one call after the other. Never rejects. */
  write(text: string, lines: number): Promise<boolean> {
    const result = this.#turn.then(() => this.#write(text, lines));
    this.#turn = result;
    return result;
  }

  /** Another process does it from now on. */
  stopRotating(): void {
    this.#rotates = false;
  }

  /** After what was to be written before. */
  close(): Promise<void> {
    const closed = this.#turn.then(() => this.#close());
    this.#turn = closed;
    return closed;
  }

  async #write(text: string, lines: number): Promise<boolean> {
    try {
      const bytes = Buffer.from(`${this.#isTorn ? "\n" : ""}${this.#note()}${text}`);
      const file = await this.#ready(bytes.length);
      this.#isTorn = true;
      await file.appendFile(bytes);
      this.#isTorn = false;
      this.#dropped = 0;
      return true;
    } catch (thrown) {
      this.#dropped += lines;
      this.#why = thrown instanceof Error ? thrown.message : String(thrown);
      await this.#close();
      return false;
    }
  }

  #note(): string {
    if (this.#dropped === 0) return "";
    const time = new Date(this.#options.clock.now()).toISOString();
    return `${JSON.stringify({ time, dropped: this.#dropped, why: this.#why })}\n`;
  }

  /** The file at the path, with room for so many bytes more. */
  async #ready(bytes: number): Promise<FileHandle> {
    const { path, fileBytes, files } = this.#options;
    const file = await this.#current();
    const { size } = await file.stat();
    if (!this.#rotates || size === 0 || size + bytes <= fileBytes) return file;
    await this.#close();
    await shiftNumbered(path, files);
    await renameIfThere(path, `${path}.1`);
    return this.#current();
  }

  /** Opened anew when the other process, or a person, has put it aside. */
  async #current(): Promise<FileHandle> {
    const { path } = this.#options;
    if (this.#file !== null) {
      const [ours, there] = await Promise.all([this.#file.stat(), stat(path).catch(() => null)]);
      if (there?.ino === ours.ino && there.dev === ours.dev) return this.#file;
      await this.#close();
    }
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    this.#file = await open(path, "a", 0o600);
    return this.#file;
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    // Nothing can be done for a file that does not close; its lines are written or counted already.
    await file?.close().catch(() => undefined);
  }
}
