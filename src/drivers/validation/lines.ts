import { StringDecoder } from "node:string_decoder";

/** A longer line is broken, so that output without newlines stays bounded. */
const LONGEST_LINE = 4_096;

/** Cuts a byte stream into lines (\n or \r\n), UTF-8 sequences that chunks divide kept whole. */
export class LineCutter {
  readonly #emit: (line: string) => void;
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";

  constructor(emit: (line: string) => void) {
    this.#emit = emit;
  }

  push(chunk: Buffer): void {
    this.#take(this.#decoder.write(chunk));
  }

  /** What is left without a newline is a line too. */
  end(): void {
    this.#take(this.#decoder.end());
    if (this.#rest !== "") this.#emit(this.#rest);
    this.#rest = "";
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#emitBounded(line.endsWith("\r") ? line.slice(0, -1) : line);
    for (; this.#rest.length > LONGEST_LINE; this.#rest = this.#rest.slice(LONGEST_LINE)) {
      this.#emit(this.#rest.slice(0, LONGEST_LINE));
    }
  }

  #emitBounded(line: string): void {
    for (let at = 0; at === 0 || at < line.length; at += LONGEST_LINE) this.#emit(line.slice(at, at + LONGEST_LINE));
  }
}
