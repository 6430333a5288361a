import { TealError, toTealError } from "../../model/error.ts";
import type { ReleaseSource } from "../../model/service.ts";

export type SourceOf<K extends ReleaseSource["kind"]> = Extract<ReleaseSource, { kind: K }>;

/** How one kind of source is read. Both methods give the same digest for the same files. */
export interface SourceReader<K extends ReleaseSource["kind"]> {
  /** @throws `release-source` when the source does not have the version */
  digest(version: string, source: SourceOf<K>, signal: AbortSignal): Promise<string>;
  /**
   * Fills the empty folder `into` and returns the digest of what it read. The caller syncs, checks links and renames.
   * @throws `release-source`
   */
  fill(version: string, source: SourceOf<K>, into: string, signal: AbortSignal): Promise<string>;
}

/** Errors of the disk that holds the state directory, whatever the source was doing. A full one passes: what waits for it goes on. */
const STATE_DISK: ReadonlyMap<string | null, "store-failed" | "state-directory"> = new Map([
  ["ENOSPC", "store-failed"],
  ["EDQUOT", "store-failed"],
  ["EROFS", "state-directory"],
]);

/** The code of an error of that disk; null for everything else. */
export function stateDiskCode(thrown: unknown): "store-failed" | "state-directory" | null {
  return STATE_DISK.get(errnoOf(thrown)) ?? null;
}

/** Code of an error of the operating system, such as ENOENT; null for everything else. */
export function errnoOf(thrown: unknown): string | null {
  if (thrown instanceof TealError) return null;
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : null;
}

/**
 * Runs `act` and gives everything that goes wrong in it the right code: the signal's own reason when it aborted,
 * `store-failed` for a full disk, `state-directory` for a read-only one, `release-source` for the rest.
 */
export async function fromSource<T>(what: string, signal: AbortSignal, act: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  try {
    return await act();
  } catch (thrown) {
    if (signal.aborted) throw toTealError(signal.reason);
    if (thrown instanceof TealError) throw thrown;
    const message = `${what}: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    throw new TealError(stateDiskCode(thrown) ?? "release-source", message, { cause: thrown });
  }
}
