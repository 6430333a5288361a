import { TealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { PAYLOAD_BYTES, SnapshotFile, type Written } from "./snapshot-file.ts";
import { SnapshotImage } from "./snapshot-image.ts";
import { parseSnapshot, printService, type SavedService } from "./snapshot-state.ts";

/** Longest that a change waits for a slow disk; it is live already, and is written as soon as the disk lets it. */
const SAVE_MS: Milliseconds = 1_000;
/** Kept free of what may be refused, for what may not: reverts, and the latches that they leave. */
const SPARE_BYTES = 131_072;

/** What a proxy has to know when it starts, kept up to date: with it, it serves without any controller. */
export class Snapshot {
  readonly #file: SnapshotFile | null;
  readonly #clock: Clock;
  readonly #log: (message: string) => void;
  readonly #image = new SnapshotImage(PAYLOAD_BYTES);
  #isWriter = true;

  /** A file that cannot be made leaves a proxy that serves, and says so. */
  constructor(path: string, clock: Clock, log: (message: string) => void) {
    this.#clock = clock;
    this.#log = log;
    this.#file = this.#open(path);
  }

  /** Empty when there is no whole snapshot, or another program wrote it. */
  load(): readonly SavedService[] {
    const payload = this.#file?.read() ?? null;
    if (payload === null) return [];
    try {
      const services = parseSnapshot(payload);
      for (const service of services) this.#image.set(service.service, printService(service));
      return services;
    } catch (thrown) {
      this.#log(`the snapshot is not one of this version: ${String(thrown)}`);
      return [];
    }
  }

  /** @throws `request-invalid` when the snapshot would not fit with this in it */
  check(service: SavedService): void {
    if (SnapshotFile.fits(this.#image.bytesWith(service.service, printService(service)), SPARE_BYTES)) return;
    throw new TealError(
      "request-invalid",
      `what is to be known of ${service.service} does not fit in the proxy's snapshot`,
    );
  }

  async save(service: SavedService): Promise<void> {
    this.#image.set(service.service, printService(service));
    if (this.#file === null || !this.#isWriter) return;
    await this.#within(this.#write(this.#file), SAVE_MS);
  }

  /** As {@link save}, and whether it was on the disk within `ms`; null: this proxy leaves the file to another one. */
  async saveDurably(service: SavedService, ms: Milliseconds): Promise<boolean | null> {
    this.#image.set(service.service, printService(service));
    if (!this.#isWriter) return null;
    if (this.#file === null) return false;
    const written = this.#write(this.#file).then(({ isDurable }) => isDurable);
    return (await this.#within(written, ms)) ?? false;
  }

  /** A draining proxy leaves the file to the one that replaces it. */
  stopWriting(): void {
    this.#isWriter = false;
  }

  #write(file: SnapshotFile): Promise<Written> {
    return file.save(() => this.#image.take());
  }

  /** Null: it takes longer. */
  async #within<T>(task: Promise<T>, ms: Milliseconds): Promise<T | null> {
    const enough = new AbortController();
    const limit = this.#clock.sleep(ms, enough.signal).then(
      () => null,
      () => null,
    );
    const first = await Promise.race([task, limit]);
    enough.abort();
    return first;
  }

  #open(path: string): SnapshotFile | null {
    const onError = (thrown: unknown): void => {
      this.#log(`the snapshot could not be written: ${String(thrown)}`);
    };
    try {
      return new SnapshotFile(path, this.#clock, onError);
    } catch (thrown) {
      onError(thrown);
      return null;
    }
  }
}
