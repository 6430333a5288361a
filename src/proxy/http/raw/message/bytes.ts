/** Bytes and classes of bytes of RFC 9110, 5.6 and RFC 9112, as tables: one load tells. */
export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;
export const ZERO = 0x30;
export const NINE = 0x39;

function table(isIn: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (isIn(byte) ? 1 : 0));
}

const TOKEN_BYTES = new Set(
  Buffer.from("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "latin1"),
);

/** tchar of RFC 9110, 5.6.2. */
export const IS_TOKEN = table((byte) => TOKEN_BYTES.has(byte));

/** What a field's value and a reason phrase are made of: HTAB, SP, VCHAR, obs-text. No other control byte. */
export const IS_VALUE = table((byte) => byte === TAB || (byte >= SP && byte !== 0x7f));

/** Request targets: VCHAR, more than RFC 3986 allows, as browsers send `|` and their like; a fragment has no place there. */
export const IS_TARGET = table((byte) => byte > SP && byte < 0x7f && byte !== 0x23);

/** The value of a hexadecimal digit; 255 for any other byte. */
export const HEX_VALUE = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = "0123456789abcdef".indexOf(String.fromCharCode(byte).toLowerCase());
  return digit === -1 ? 255 : digit;
});

export function byteAt(buffer: Buffer, at: number): number {
  return buffer[at] as number;
}

/** Whether [start, end) is `word`, in any case of ASCII letters. `word`: lower-case letters, digits, `-`, `/`, `:`. */
export function isWord(buffer: Buffer, start: number, end: number, word: Uint8Array): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i += 1) if (lower(byteAt(buffer, start + i)) !== word[i]) return false;
  return true;
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

/** The end of a value without the SP and HTAB at its end. */
export function trimEnd(buffer: Buffer, start: number, end: number): number {
  let to = end;
  while (to > start) {
    const byte = byteAt(buffer, to - 1);
    if (byte !== SP && byte !== TAB) break;
    to -= 1;
  }
  return to;
}

/** The first byte of a value after SP and HTAB, `end` at most. */
export function trimStart(buffer: Buffer, start: number, end: number): number {
  let from = start;
  while (from < end) {
    const byte = byteAt(buffer, from);
    if (byte !== SP && byte !== TAB) break;
    from += 1;
  }
  return from;
}
