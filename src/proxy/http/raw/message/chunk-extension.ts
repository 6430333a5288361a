import { byteAt, IS_TOKEN, IS_VALUE } from "./bytes.ts";

const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const STATE = { name: 0, inName: 1, value: 2, inValue: 3, quoted: 4, escaped: 5, afterQuoted: 6 } as const;

/** `;name`, `;name=value`, `;name="value"` of RFC 9112, 7.1.1, any number of them, without white space. Byte by byte. */
export class ChunkExtension {
  #state: number = STATE.name;

  /** After the first `;`. */
  reset(): void {
    this.#state = STATE.name;
  }

  /** Whether the line may end here. */
  get mayEnd(): boolean {
    return this.#state === STATE.inName || this.#state === STATE.inValue || this.#state === STATE.afterQuoted;
  }

  /** False: the byte does not belong here. */
  take(buffer: Buffer, at: number): boolean {
    const byte = byteAt(buffer, at);
    const next = this.#next(byte);
    if (next === -1) return false;
    this.#state = next;
    return true;
  }

  #next(byte: number): number {
    const isToken = IS_TOKEN[byte] === 1;
    switch (this.#state) {
      case STATE.name:
        return isToken ? STATE.inName : -1;
      case STATE.inName:
        if (byte === EQUALS) return STATE.value;
        return isToken ? STATE.inName : afterPart(byte);
      case STATE.value:
        if (byte === QUOTE) return STATE.quoted;
        return isToken ? STATE.inValue : -1;
      case STATE.inValue:
        return isToken ? STATE.inValue : afterPart(byte);
      case STATE.quoted:
        if (byte === QUOTE) return STATE.afterQuoted;
        if (byte === BACKSLASH) return STATE.escaped;
        return IS_VALUE[byte] === 1 ? STATE.quoted : -1;
      case STATE.escaped:
        return IS_VALUE[byte] === 1 ? STATE.quoted : -1;
      default:
        return afterPart(byte);
    }
  }
}

function afterPart(byte: number): number {
  return byte === SEMICOLON ? STATE.name : -1;
}
