import type { ReleaseSource } from "../model/service.ts";
import type { EpochMilliseconds } from "../model/time.ts";

export interface UnpackedRelease {
  /** Absolute folder with the files. */
  readonly directory: string;
  /** As {@link ReleaseFolder.digest} gives it. */
  readonly digest: string | null;
}

/** Unpacks releases into folders of their own under the state directory. */
export interface ReleaseFolder {
  /**
   * What identifies the files of a version at its source now: SHA-256 (hex) over paths, modes and contents for a folder
   * or a tarball, the tree's object id for git, null for a source of kind `none`.
   * @throws `release-source` when the source does not have the version
   */
  digest(version: string, source: ReleaseSource, signal: AbortSignal): Promise<string | null>;
  /** When the commit was made that the version names; null for a source that is no git repository. */
  committedAt(version: string, source: ReleaseSource, signal: AbortSignal): Promise<EpochMilliseconds | null>;
  /** Absolute folder that `unpack` fills. */
  folder(service: string, id: string): string;
  /**
   * Ensures that `id` is unpacked: into a temporary folder, synced, then renamed, so that a folder is whole or absent.
   * A git ref is resolved to a commit; `version` is the ref.
   * @throws `release-source` when the source does not have the version
   */
  unpack(
    service: string,
    id: string,
    version: string,
    source: ReleaseSource,
    signal: AbortSignal,
  ): Promise<UnpackedRelease>;
  /** Whether the folder of a release is there. */
  exists(service: string, id: string): Promise<boolean>;
  list(service: string): Promise<readonly string[]>;
  /** Removes the folder; nothing happens when there is none. */
  remove(service: string, id: string): Promise<void>;
}
