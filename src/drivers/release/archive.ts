import { Parser, type ReadEntry, Unpack } from "tar";
import { TealError } from "../../model/error.ts";
import { refuseEscapingLinks } from "./links.ts";

/** Bounds on what an archive may hold, against bombs. */
export interface ArchiveLimits {
  readonly bytes: number;
  readonly entries: number;
}
export const ARCHIVE_LIMITS: ArchiveLimits = { bytes: 8 * 1024 ** 3, entries: 500_000 };

const FILES = new Set(["File", "OldFile", "ContiguousFile"]);
const FOLDERS = new Set(["Directory", "GNUDumpDir"]);

/** One entry of an archive that passed the checks, its path normalised. */
export interface ArchiveEntry {
  readonly kind: "file" | "dir" | "link" | "hardlink";
  readonly path: string;
  /** Of a link. */
  readonly target: string;
}

/**
 * Looks at each entry before anything is written: absolute paths, `..`, devices, too much of anything, and links that
 * leave the tree are refused. (The tar library refuses most of that too, and to write through a link; it names less.)
 */
export class ArchiveGuard {
  readonly links = new Map<string, string>();
  readonly #what: string;
  readonly #limits: ArchiveLimits;
  #bytes = 0;
  #entries = 0;

  constructor(what: string, limits: ArchiveLimits = ARCHIVE_LIMITS) {
    this.#what = what;
    this.#limits = limits;
  }

  /** @throws `release-source` */
  check(entry: ReadEntry): ArchiveEntry {
    this.#bytes += entry.size;
    this.#entries += 1;
    if (this.#bytes > this.#limits.bytes) this.#refuse(`holds more than ${String(this.#limits.bytes)} bytes`);
    if (this.#entries > this.#limits.entries) this.#refuse(`holds more than ${String(this.#limits.entries)} entries`);
    const path = this.#inside(entry.path);
    const target = entry.linkpath ?? "";
    if (FILES.has(entry.type)) return { kind: "file", path, target };
    if (FOLDERS.has(entry.type)) return { kind: "dir", path, target };
    if (entry.type === "Link") return { kind: "hardlink", path, target: this.#inside(target) };
    if (entry.type !== "SymbolicLink")
      this.#refuse(`holds ${entry.path}, a ${entry.type}; only files, folders and links are taken`);
    this.links.set(path, target);
    refuseEscapingLinks(this.#what, this.links, [path]);
    return { kind: "link", path, target };
  }

  /** To be called when all entries have come: a later link may bend an earlier one. */
  finish(): void {
    refuseEscapingLinks(this.#what, this.links);
  }

  #inside(path: string): string {
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    if (path.startsWith("/") || path.includes("\0") || parts.includes("..")) {
      this.#refuse(`holds the path ${path}, which leads out of it`);
    }
    return parts.join("/");
  }

  #refuse(why: string): never {
    throw new TealError("release-source", `${this.#what} ${why}`);
  }
}

/** An extractor into `into` that checks every entry first; feed it with {@link pump}. */
export function extractor(into: string, guard: ArchiveGuard): Parser {
  const unpack = new Unpack({
    cwd: into,
    strict: true,
    preserveOwner: false,
    noMtime: true,
    filter: (_path, entry) => {
      // The filter is also asked about files on disk when packing; here all are archive entries.
      if (!("header" in entry)) return false;
      return accepted(unpack, () => guard.check(entry));
    },
  });
  return unpack;
}

/** Turns a refusal into the parser's error, which ends the pump; nothing more is written. */
function accepted(parser: Parser, check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch (thrown) {
    parser.abort(thrown instanceof Error ? thrown : new Error(String(thrown)));
    return false;
  }
}

/** A parser that hands each checked entry to `visit`, which must consume it. */
export function inspector(guard: ArchiveGuard, visit: (checked: ArchiveEntry, entry: ReadEntry) => void): Parser {
  const parser: Parser = new Parser({
    strict: true,
    onReadEntry: (entry) => {
      const seen: { checked: ArchiveEntry | null } = { checked: null };
      accepted(parser, () => (seen.checked = guard.check(entry)));
      if (seen.checked === null) entry.resume();
      else visit(seen.checked, entry);
    },
  });
  return parser;
}

/** Feeds a parser to its end. @throws the parser's first error, the source's, or the signal's reason */
export async function pump(source: AsyncIterable<Buffer>, parser: Parser, signal: AbortSignal): Promise<void> {
  const ended = Promise.withResolvers<undefined>();
  parser.once("error", (error) => {
    ended.reject(error);
  });
  // Later errors of the same parser say the same again.
  parser.on("error", () => undefined);
  parser.once("close", () => {
    ended.resolve(undefined);
  });
  ended.promise.catch(() => undefined);
  for await (const chunk of source) {
    signal.throwIfAborted();
    if (parser.write(chunk)) continue;
    const drained = Promise.withResolvers<undefined>();
    parser.once("drain", () => {
      drained.resolve(undefined);
    });
    await Promise.race([drained.promise, ended.promise]);
  }
  parser.end();
  await ended.promise;
}
