/** A longer line is cut into pieces of this many bytes. */
export const LONGEST_LINE = 64 * 1024;

const NEWLINE = 0x0a;

/** Cuts a stream of bytes into lines, each without its end. */
export class LineSplitter {
  #parts: Buffer[] = [];
  #length = 0;

  /** The lines that `chunk` completes. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      const end = rest.indexOf(NEWLINE);
      const room = LONGEST_LINE - this.#length;
      if (end !== -1 && end <= room) {
        this.#keep(rest.subarray(0, end));
        lines.push(this.#take());
        rest = rest.subarray(end + 1);
      } else if (rest.length > room) {
        this.#keep(rest.subarray(0, room));
        lines.push(this.#take());
        rest = rest.subarray(room);
      } else {
        // A copy: the reader may use its buffer again.
        this.#keep(Buffer.from(rest));
        break;
      }
    }
    return lines;
  }

  /** What stands after the last line's end; empty when nothing does. */
  flush(): string[] {
    return this.#length === 0 ? [] : [this.#take()];
  }

  #keep(part: Buffer): void {
    this.#parts.push(part);
    this.#length += part.length;
  }

  #take(): string {
    const text = Buffer.concat(this.#parts).toString("utf8");
    this.#parts = [];
    this.#length = 0;
    return text.endsWith("\r") ? text.slice(0, -1) : text;
  }
}
