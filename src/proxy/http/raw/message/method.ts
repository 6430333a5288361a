import { byteAt, SP } from "./bytes.ts";

/** What llhttp knows for HTTP, less CONNECT: what an app on Node can be asked. */
const NAMES =
  "GET HEAD POST PUT DELETE OPTIONS PATCH TRACE ACL BIND CHECKOUT COPY LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR " +
  "MKCOL MOVE NOTIFY PROPFIND PROPPATCH PURGE QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE UNBIND UNLINK UNLOCK UNSUBSCRIBE";

const KNOWN: ReadonlyMap<string, string> = new Map(NAMES.split(" ").map((name) => [name, name]));

/** More than the longest known method. */
export const LONGEST_METHOD = 20;

/** The method in [start, end) of a buffer with SP at `end`, as one string object per method; null when it is not known. */
export function methodOf(buffer: Buffer, start: number, end: number): string | null {
  if (end - start === 3 && byteAt(buffer, start) === 0x47 && buffer.readUInt32BE(start) === GET_SP) return "GET";
  return KNOWN.get(buffer.toString("latin1", start, end)) ?? null;
}

const GET_SP = 0x47_45_54_00 | SP;
