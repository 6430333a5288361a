import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TealError } from "../../model/error.ts";
import { ARCHIVE_LIMITS, ArchiveGuard, type ArchiveLimits, extractor, inspector, pump } from "./archive.ts";
import { digestOf, type Fact, isExecutable } from "./digest.ts";
import { requireFolder } from "./dir.ts";
import { errnoOf, fromSource, type SourceReader } from "./source.ts";
import { stampOf } from "./tree.ts";

const SUFFIXES = [".tar.gz", ".tgz", ".tar"] as const;

/** `<dir>/<version>.tar.gz`, `.tgz` or `.tar`; its top-level entries are the release's. */
export class TarballSource implements SourceReader<"tarball"> {
  readonly #limits: ArchiveLimits;

  constructor(limits: ArchiveLimits = ARCHIVE_LIMITS) {
    this.#limits = limits;
  }

  digest(version: string, source: { readonly dir: string }, signal: AbortSignal): Promise<string> {
    return this.#read(version, source.dir, signal, () => Promise.resolve());
  }

  fill(version: string, source: { readonly dir: string }, into: string, signal: AbortSignal): Promise<string> {
    return this.#read(version, source.dir, signal, async (file) => {
      const guard = new ArchiveGuard(file, this.#limits);
      await pump(createReadStream(file, { signal }), extractor(into, guard), signal);
    });
  }

  /** Checks and digests the whole archive first, then runs `act`; both must have seen the same file. */
  #read(version: string, dir: string, signal: AbortSignal, act: (file: string) => Promise<void>): Promise<string> {
    return fromSource(`reading the tarball of ${version}`, signal, async () => {
      const file = await findTarball(dir, version);
      const before = stampOf(await stat(file, { bigint: true }));
      const digest = await digestArchive(file, this.#limits, signal);
      await act(file);
      if (before === stampOf(await stat(file, { bigint: true }))) return digest;
      throw new TealError("release-source", `${file} changed while it was being read`);
    });
  }
}

async function findTarball(dir: string, version: string): Promise<string> {
  await requireFolder(dir);
  const found: string[] = [];
  for (const suffix of SUFFIXES) {
    const file = join(dir, version + suffix);
    const there = await stat(file).catch((thrown: unknown) => {
      if (errnoOf(thrown) === "ENOENT") return null;
      throw thrown;
    });
    if (there?.isFile() === true) found.push(file);
  }
  const [first, second] = found;
  if (first === undefined) {
    throw new TealError("release-source", `there is no tarball of ${version} in ${dir}`, {
      remedy: `Put ${SUFFIXES.map((suffix) => version + suffix).join(", or ")} there.`,
    });
  }
  if (second === undefined) return first;
  throw new TealError("release-source", `two tarballs claim to be ${version}: ${found.join(" and ")}`, {
    remedy: "Remove the one that is not meant.",
  });
}

/** The digest that {@link digestTree} gives for the unpacked tree, from the archive alone. */
async function digestArchive(file: string, limits: ArchiveLimits, signal: AbortSignal): Promise<string> {
  const facts = new Map<string, Fact>();
  const guard = new ArchiveGuard(file, limits);
  const parser = inspector(guard, ({ kind, path, target }, entry) => {
    if (path !== "") addParents(facts, path);
    if (kind === "file") {
      const hash = createHash("sha256");
      entry.on("data", (chunk: Buffer) => hash.update(chunk));
      entry.on("end", () =>
        facts.set(path, { kind, executable: isExecutable(entry.mode ?? 0o644), content: hash.digest("hex") }),
      );
      return;
    }
    entry.resume();
    if (kind === "link") facts.set(path, { kind, executable: false, content: target });
    if (kind === "dir" && path !== "") facts.set(path, { kind, executable: false, content: "" });
    if (kind === "hardlink") facts.set(path, linked(facts, file, path, target));
  });
  await pump(createReadStream(file, { signal }), parser, signal);
  guard.finish();
  return digestOf(facts);
}

function linked(facts: ReadonlyMap<string, Fact>, file: string, path: string, target: string): Fact {
  const fact = facts.get(target);
  if (fact?.kind === "file") return fact;
  throw new TealError("release-source", `${file} holds ${path}, a hard link to ${target}, which is no file before it`);
}

function addParents(facts: Map<string, Fact>, path: string): void {
  for (let parent = dirname(path); parent !== "." && !facts.has(parent); parent = dirname(parent)) {
    facts.set(parent, { kind: "dir", executable: false, content: "" });
  }
}
