import { byteAt, HEX_VALUE } from "./bytes.ts";

/** A DNS name has 253 bytes at most; this leaves room for a port. */
const LONGEST_HOST = 300;

/** reg-name of RFC 3986, 3.2.2, without `%` (below) and without the comma, by which two Hosts look like one. */
const IS_NAME = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[A-Za-z0-9\-._~!$&'()*+;=]/.test(String.fromCharCode(byte)) ? 1 : 0,
);
const COLON = 0x3a;
const PERCENT = 0x25;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/** Whether [start, end) is `uri-host [ ":" port ]` (RFC 9110, 7.2). Empty is valid: a target without an authority. */
export function isHost(buffer: Buffer, start: number, end: number): boolean {
  if (end - start > LONGEST_HOST) return false;
  if (start === end) return true;
  const at = byteAt(buffer, start) === OPEN ? afterLiteral(buffer, start, end) : afterName(buffer, start, end);
  if (at === -1) return false;
  return at === end || (byteAt(buffer, at) === COLON && at > start && isPort(buffer, at + 1, end));
}

function afterName(buffer: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const byte = byteAt(buffer, at);
    if (IS_NAME[byte] === 1) at += 1;
    else if (byte === PERCENT && at + 2 < end && isHex(buffer, at + 1) && isHex(buffer, at + 2)) at += 3;
    else return byte === COLON ? at : -1;
  }
  return at;
}

/** An IPv6 address in brackets; its digits and colons are checked, not their number. */
function afterLiteral(buffer: Buffer, start: number, end: number): number {
  let at = start + 1;
  let colons = 0;
  for (; at < end && byteAt(buffer, at) !== CLOSE; at += 1) {
    const byte = byteAt(buffer, at);
    if (byte === COLON) colons += 1;
    else if (!isHex(buffer, at) && byte !== 0x2e) return -1;
  }
  return at < end && colons >= 2 && at - start <= 46 ? at + 1 : -1;
}

function isPort(buffer: Buffer, start: number, end: number): boolean {
  if (end - start > 5) return false;
  for (let at = start; at < end; at += 1) if ((HEX_VALUE[byteAt(buffer, at)] as number) > 9) return false;
  return true;
}

function isHex(buffer: Buffer, at: number): boolean {
  return (HEX_VALUE[byteAt(buffer, at)] as number) < 16;
}
