import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { systemClock } from "../../src/main/clock.ts";
import { SnapshotFile } from "../../src/proxy/snapshot-file.ts";
import { parseSnapshot } from "../../src/proxy/snapshot-state.ts";
import type { SplitSeen } from "./evidence.ts";

const LOOK_EVERY_MS = 20;

/**
 * Follows what the proxy keeps of one service's traffic, by its snapshot: a message to the proxy would be a sign of life of
 * a controller. A file that is being written is read again at the next look.
 */
export class SplitWatch {
  readonly seen: SplitSeen[] = [];
  readonly #path: string;
  readonly #service: string;
  readonly #over = new AbortController();
  readonly #watching: Promise<void>;

  constructor(path: string, service: string) {
    this.#path = path;
    this.#service = service;
    this.#watching = this.#watch();
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#watching;
    await this.#look();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      await this.#look();
      // The abort is looked at by the loop's own condition.
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    if (!existsSync(this.#path)) return;
    const file = new SnapshotFile(this.#path, systemClock, (thrown) => {
      throw thrown;
    });
    const payload = file.read();
    await file.close();
    const saved = payload === null ? [] : parseSnapshot(payload);
    const register = saved.find(({ service }) => service === this.#service)?.register;
    if (register === undefined) return;
    const { split, deployment, reverted, latches } = register;
    const now = { split, deployment, reverted, latches };
    const last = this.seen.at(-1);
    if (last !== undefined && isDeepStrictEqual({ ...last, at: 0 }, { ...now, at: 0 })) return;
    this.seen.push({ at: Date.now(), ...now });
  }
}
