import { randomBytes } from "node:crypto";
import { chmod, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TealError, toTealError } from "../../model/error.ts";
import { isName } from "../../model/names.ts";
import type { ReleaseSource } from "../../model/service.ts";
import type { EpochMilliseconds } from "../../model/time.ts";
import type { ReleaseFolder, UnpackedRelease } from "../../ports/release.ts";
import { makeFolder, syncPath } from "../../wire/durable-file.ts";
import { DirSource, requireFolder } from "./dir.ts";
import { GitSource } from "./git.ts";
import { readRecord, type ReleaseRecord, writeRecord } from "./record.ts";
import { errnoOf, stateDiskCode } from "./source.ts";
import { syncTree } from "./sync.ts";
import { TarballSource } from "./tarball.ts";
import { readTree } from "./tree.ts";

export interface ReleaseFoldersOptions {
  /** Folder of all releases: `StatePaths.releases`. Made when it is not there. */
  readonly releases: string;
  /** The state directory: never part of a release. */
  readonly stateRoot: string;
  readonly dir?: DirSource;
  readonly git?: GitSource;
  readonly tarball?: TarballSource;
}

/** Begins the names of folders that are being filled or removed; no release id begins so. */
const TEMPORARY = ".tmp-";

/** Of the folders above a release's own files: an app may run as another user than Teal's. Set in spite of any umask. */
const OPEN_TO_READ = 0o755;

/**
 * `<releases>/<service>/<id>/`, and beside it `.<id>.json` with the digest. A release of kind `none` has the record alone.
 * Temporary folders of a crash are removed at the next unpack of the service.
 */
export class ReleaseFolders implements ReleaseFolder {
  readonly #releases: string;
  readonly #dir: DirSource;
  readonly #git: GitSource;
  readonly #tarball: TarballSource;
  /** Temporary folders that are in use by this process. */
  readonly #busy = new Set<string>();

  constructor(options: ReleaseFoldersOptions) {
    this.#releases = options.releases;
    this.#dir = options.dir ?? new DirSource(options.stateRoot);
    this.#git = options.git ?? new GitSource();
    this.#tarball = options.tarball ?? new TarballSource();
  }

  async digest(version: string, source: ReleaseSource, signal: AbortSignal): Promise<string | null> {
    switch (source.kind) {
      case "dir":
        return await this.#dir.digest(version, source, signal);
      case "git":
        return await this.#git.digest(version, source, signal);
      case "tarball":
        return await this.#tarball.digest(version, source, signal);
      case "none":
        await requireFolder(source.dir);
        return null;
      default:
        return source satisfies never;
    }
  }

  async committedAt(version: string, source: ReleaseSource, signal: AbortSignal): Promise<EpochMilliseconds | null> {
    return source.kind === "git" ? await this.#git.committedAt(version, source, signal) : null;
  }

  folder(service: string, id: string): string {
    return join(this.#service(service), requireName(id));
  }

  async unpack(
    service: string,
    id: string,
    version: string,
    source: ReleaseSource,
    signal: AbortSignal,
  ): Promise<UnpackedRelease> {
    try {
      const known = await this.#known(service, id);
      if (known !== null) return { directory: known.directory ?? this.folder(service, id), digest: known.digest };
      return await this.#unpackNew(service, id, version, source, signal);
    } catch (thrown) {
      throw signal.aborted ? toTealError(signal.reason) : stateError(thrown);
    }
  }

  async #unpackNew(
    service: string,
    id: string,
    version: string,
    source: ReleaseSource,
    signal: AbortSignal,
  ): Promise<UnpackedRelease> {
    await this.#makeFolders(service);
    await this.#sweep(service);
    if (source.kind === "none") return await this.#recordOnly(service, id, source.dir);
    // Its record was lost. A folder with this name is whole, and something may run in it: it is kept.
    if (await isFolder(this.folder(service, id))) return await this.#adopt(service, id, version, source, signal);
    const temporary = this.#temporary(service, id);
    this.#busy.add(temporary);
    try {
      await mkdir(temporary);
      await chmod(temporary, OPEN_TO_READ);
      const digest = await this.#fill(version, source, temporary, signal);
      await syncTree(temporary, await readTree(temporary, signal), signal);
      signal.throwIfAborted();
      return await this.#publish(service, id, temporary, digest);
    } finally {
      await rm(temporary, { recursive: true, force: true });
      this.#busy.delete(temporary);
    }
  }

  async exists(service: string, id: string): Promise<boolean> {
    return (await this.#known(service, id)) !== null || (await isFolder(this.folder(service, id)));
  }

  async list(service: string): Promise<readonly string[]> {
    const names = await readdir(this.#service(service)).catch((thrown: unknown) => {
      if (errnoOf(thrown) === "ENOENT") return [];
      throw thrown;
    });
    const ids = names
      .map((name) => (name.startsWith(".") && name.endsWith(".json") ? name.slice(1, -5) : name))
      .filter(isName);
    const there = await Promise.all(
      [...new Set(ids)].map(async (id) => ((await this.exists(service, id)) ? id : null)),
    );
    return there.filter((id) => id !== null).toSorted();
  }

  async remove(service: string, id: string): Promise<void> {
    const temporary = this.#temporary(service, id);
    this.#busy.add(temporary);
    try {
      // Renamed first, so that a folder that is there is whole, also when this is cut short.
      await rename(this.folder(service, id), temporary).catch((thrown: unknown) => {
        if (errnoOf(thrown) !== "ENOENT") throw thrown;
      });
      await rm(this.#record(service, id), { force: true });
      await rm(temporary, { recursive: true, force: true });
    } catch (thrown) {
      throw stateError(thrown);
    } finally {
      this.#busy.delete(temporary);
    }
  }

  async #fill(
    version: string,
    source: Exclude<ReleaseSource, { kind: "none" }>,
    into: string,
    signal: AbortSignal,
  ): Promise<string> {
    switch (source.kind) {
      case "dir":
        return await this.#dir.fill(version, source, into, signal);
      case "git":
        return await this.#git.fill(version, source, into, signal);
      case "tarball":
        return await this.#tarball.fill(version, source, into, signal);
      default:
        return source satisfies never;
    }
  }

  /** The record is durable before the folder has its name: a folder that is there has a record. */
  async #publish(service: string, id: string, temporary: string, digest: string): Promise<UnpackedRelease> {
    const directory = this.folder(service, id);
    await writeRecord(this.#record(service, id), { format: 1, directory: null, digest });
    await rename(temporary, directory);
    await syncPath(dirname(directory));
    return { directory, digest };
  }

  async #adopt(
    service: string,
    id: string,
    version: string,
    source: ReleaseSource,
    signal: AbortSignal,
  ): Promise<UnpackedRelease> {
    const digest = await this.digest(version, source, signal);
    await writeRecord(this.#record(service, id), { format: 1, directory: null, digest });
    return { directory: this.folder(service, id), digest };
  }

  async #recordOnly(service: string, id: string, directory: string): Promise<UnpackedRelease> {
    await requireFolder(directory);
    await writeRecord(this.#record(service, id), { format: 1, directory, digest: null });
    return { directory, digest: null };
  }

  async #known(service: string, id: string): Promise<ReleaseRecord | null> {
    const record = await readRecord(this.#record(service, id));
    return record !== null && (await isFolder(record.directory ?? this.folder(service, id))) ? record : null;
  }

  async #sweep(service: string): Promise<void> {
    const folder = this.#service(service);
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      if (name.startsWith(TEMPORARY) && !this.#busy.has(path)) await rm(path, { recursive: true, force: true });
    }
  }

  async #makeFolders(service: string): Promise<void> {
    await makeFolder(this.#service(service));
    await chmod(this.#releases, OPEN_TO_READ);
    await chmod(this.#service(service), OPEN_TO_READ);
  }

  #service(service: string): string {
    return join(this.#releases, requireName(service));
  }
  #record(service: string, id: string): string {
    return join(this.#service(service), `.${requireName(id)}.json`);
  }
  #temporary(service: string, id: string): string {
    return join(this.#service(service), `${TEMPORARY}${requireName(id)}-${randomBytes(6).toString("hex")}`);
  }
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch((thrown: unknown) => {
    if (errnoOf(thrown) === "ENOENT") return null;
    throw thrown;
  });
  return found?.isDirectory() === true;
}

function requireName(name: string): string {
  if (isName(name)) return name;
  throw new TealError("internal", `${JSON.stringify(name)} cannot name a folder`);
}

/** Errors after the source was read are the state directory's. */
function stateError(thrown: unknown): TealError {
  if (errnoOf(thrown) === null) return toTealError(thrown);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new TealError(stateDiskCode(thrown) ?? "state-directory", message, { cause: thrown });
}
