import { TealError } from "../../model/error.ts";

/** Primary result codes of SQLite (sqlite.org/rescode.html) that need an answer of their own. */
const BUSY = 5;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

const REMEDIES = new Map<number, string>([
  [READONLY, "Make the state directory and its files writable for this user."],
  [IOERR, "See the disk of the state directory: space, permissions, health."],
  [CORRUPT, "Put teal.db back from a backup, or move it away to begin anew; running apps and traffic are not touched."],
  [FULL, "Make room on the disk of the state directory; Teal goes on by itself then."],
  [CANTOPEN, "Make the state directory and its files readable and writable for this user."],
  [NOTADB, "Put teal.db back from a backup, or move it away to begin anew; running apps and traffic are not touched."],
]);

/** SQLite's primary result code (the low byte of the extended one); null when the error is not SQLite's. */
function sqliteCode(thrown: unknown): number | null {
  if (!(thrown instanceof Error) || !("errcode" in thrown) || typeof thrown.errcode !== "number") return null;
  return thrown.errcode & 0xff;
}

export function isBusy(thrown: unknown): boolean {
  return sqliteCode(thrown) === BUSY;
}

/** Whether the disk has no room: what the ballast is for. SQLite reports some full disks as I/O errors. */
export function isDiskFull(thrown: unknown): boolean {
  const code = sqliteCode(thrown instanceof TealError ? thrown.cause : thrown);
  return code === FULL || code === IOERR;
}

/** Whether the connection, or its file, is at fault: not one row, and not somebody who has it locked for a moment. */
export function isConnectionBroken(thrown: unknown): boolean {
  const cause = thrown instanceof TealError ? thrown.cause : thrown;
  const code = sqliteCode(cause);
  if (code !== null) return code !== BUSY;
  return cause instanceof Error && "code" in cause && cause.code === "ERR_INVALID_STATE";
}

/** A TealError as it is; anything else as `store-failed` with its cause. */
export function storeFailure(what: string, thrown: unknown): TealError {
  if (thrown instanceof TealError) return thrown;
  const code = sqliteCode(thrown);
  const remedy = code === null ? undefined : REMEDIES.get(code);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new TealError("store-failed", `${what}: ${message}`, {
    cause: thrown,
    ...(remedy === undefined ? {} : { remedy }),
  });
}
