import { nameAt, STRIDE } from "./field.ts";
import type { MessageHead } from "./types.ts";

/** Room that a head written anew may need beyond the bytes of the head it is written from. */
export const WRITE_ROOM = 4_096;

export interface Omitted {
  /** Known fields that stay behind: bit `1 << FieldId`. */
  readonly mask: number;
  /** Lower-case names of others; null for none. */
  readonly names: ReadonlySet<string> | null;
}

/**
 * Copies the head from `from` (counted from its base) to its blank line, in as few runs of bytes as the omitted lines
 * leave, and returns where it stopped writing.
 */
export function copyFields(head: MessageHead, from: number, omitted: Omitted, out: Buffer, at: number): number {
  const { source, base, fields } = head;
  let run = from;
  let to = at;
  const last = fields.length - 1;
  for (let index = 0; index < last; index += STRIDE) {
    const isOmitted =
      (omitted.mask & (1 << (fields[index + 2] as number))) !== 0 ||
      (omitted.names !== null && omitted.names.has(nameAt(head, index).toLowerCase()));
    if (!isOmitted) continue;
    const lineStart = fields[index] as number;
    if (lineStart > run) to += source.copy(out, to, base + run, base + lineStart);
    run = fields[index + STRIDE] as number;
  }
  const end = fields[last] as number;
  return end > run ? to + source.copy(out, to, base + run, base + end) : to;
}

/** Meant for every recipient, or written by the proxy: naming them takes nothing away (RFC 9110, 7.6.1). */
const ENDURING: ReadonlySet<string> = new Set(["host", "content-length", "date", "x-request-id"]);

/** What Connection names, when it names anything but `upgrade`, of which the mask takes care. */
export function namedByConnection(head: MessageHead): ReadonlySet<string> | null {
  const tokens = head.connectionTokens;
  if (tokens === null || (tokens.length === 1 && tokens[0] === "upgrade")) return null;
  return new Set(tokens.filter((token) => !ENDURING.has(token)));
}
