/** Of all heads of one answer, interim ones included: what the proxy takes of an instance's answer. */
const MOST_BYTES = 65_536;
/** Of one head: the same. */
const MOST_FIELDS = 500;

const CR = 0x0d;
/** RFC 9112, 4. The reason phrase may be left out, and its space with it. */
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t -~\x80-\xff]*)?$/;
/** RFC 9112, 5: no space before the colon, no folded line, no control byte. */
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t -~\x80-\xff]*)$/;

/**
 * Reads of an answer to GET what a health check asks: the status. As strict as the proxy is with an answer that it is to
 * pass on, so that an instance is not healthy whose answers it refuses: see `proxy/http/raw/message/scan-response.ts`.
 */
export class AnswerHead {
  #rest = "";
  #bytes = 0;
  #minor = 1;
  /** Of the head that is being read; null: its first line is yet to come. */
  #status: number | null = null;
  #fields = 0;
  #hasLength = false;
  #hasEncoding = false;

  /**
   * Takes the next bytes, as latin1. Returns the status once the head is whole, passing over interim answers (1xx), but
   * for a 101, after which nothing is HTTP any more; `malformed`: it is no answer to rely on; `too-large`: nor this.
   */
  take(text: string): number | "incomplete" | "malformed" | "too-large" {
    this.#bytes += text.length;
    const held = this.#rest + text;
    let at = 0;
    for (let end = held.indexOf("\n"); end !== -1; end = held.indexOf("\n", at)) {
      // A bare LF ends a line for some and not for others.
      if (held.charCodeAt(end - 1) !== CR) return "malformed";
      const line = held.slice(at, end - 1);
      at = end + 1;
      if (line === "" && this.#status !== null) {
        const status = this.#status;
        if (status >= 200 || status === 101) return this.#isWithinBounds(held.length - at) ? status : "too-large";
        this.#startOver();
      } else if (!this.#takeLine(line)) return "malformed";
      if (this.#fields > MOST_FIELDS) return "too-large";
    }
    this.#rest = held.slice(at);
    return this.#isWithinBounds(0) ? "incomplete" : "too-large";
  }

  /** `beyond`: bytes after the head. */
  #isWithinBounds(beyond: number): boolean {
    return this.#bytes - beyond <= MOST_BYTES;
  }

  #startOver(): void {
    this.#status = null;
    this.#fields = 0;
    this.#hasLength = false;
    this.#hasEncoding = false;
  }

  #takeLine(line: string): boolean {
    if (this.#status !== null) return this.#takeField(line);
    const [, minor, status] = STATUS_LINE.exec(line) ?? [];
    if (status === undefined) return false;
    this.#minor = Number(minor);
    this.#status = Number(status);
    return true;
  }

  /** Where two parsers might find another end of the body, none is right: RFC 9112, 6.3. */
  #takeField(line: string): boolean {
    this.#fields += 1;
    const [, name = "", value = ""] = FIELD_LINE.exec(line) ?? [];
    switch (name.toLowerCase()) {
      case "":
        return false;
      case "content-length":
        if (this.#hasLength || this.#hasEncoding || !/^ *\d{1,15} *$/.test(value)) return false;
        this.#hasLength = true;
        return true;
      case "transfer-encoding":
        if (this.#hasLength || this.#hasEncoding || this.#minor === 0 || !/^ *chunked *$/i.test(value)) return false;
        this.#hasEncoding = true;
        return true;
      default:
        return true;
    }
  }
}
