import { writeSync } from "node:fs";

/** Bytes that were taken. @throws as `writeSync` */
type Write = (bytes: Buffer) => number;

/**
 * Lines for a descriptor whose disk may be full: what it does not take is counted, and said as soon as it takes lines again.
 * A log is never worth the process.
 */
export class LossyLines {
  readonly #write: Write;
  readonly #note: (lost: number, why: string) => string;
  #lost = 0;
  #why = "";
  /** Whether the last line ends in its middle. */
  #isCut = false;

  /** `note`: the line, with its end, that tells of lost ones. */
  constructor(to: number | Write, note: (lost: number, why: string) => string) {
    this.#write = typeof to === "number" ? (bytes) => writeSync(to, bytes) : to;
    this.#note = note;
  }

  /** With its end. Never throws. */
  write(line: string): void {
    const note = this.#lost === 0 ? "" : this.#note(this.#lost, this.#why);
    let left = Buffer.from(`${this.#isCut ? "\n" : ""}${note}${line}`);
    const whole = left.length;
    try {
      while (left.length > 0) left = left.subarray(this.#write(left));
      this.#lost = 0;
      this.#isCut = false;
    } catch (thrown) {
      this.#lost += 1;
      this.#why = thrown instanceof Error ? thrown.message : String(thrown);
      this.#isCut ||= left.length < whole;
    }
  }
}
