import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { systemClock } from "../../src/main/clock.ts";
import { SnapshotFile } from "../../src/proxy/snapshot-file.ts";
import { parseSnapshot } from "../../src/proxy/snapshot-state.ts";
import type { StatePaths } from "../../src/wire/paths.ts";
import type { SplitSeen } from "./evidence.ts";
import { askHealth, recordNow } from "./record-seen.ts";

const LOOK_EVERY_MS = 20;

/**
 * Follows what the proxy keeps of one service's traffic, by its snapshot: a message to the proxy would be a sign of life of
 * a controller. A file that is being written is read again at the next look.
 */
export class SplitWatch {
  readonly seen: SplitSeen[] = [];
  readonly #path: string;
  readonly #database: string;
  readonly #service: string;
  readonly #asking: Promise<void>[] = [];
  readonly #over = new AbortController();
  readonly #watching: Promise<void>;

  constructor({ proxySnapshot, database }: Pick<StatePaths, "proxySnapshot" | "database">, service: string) {
    this.#path = proxySnapshot;
    this.#database = database;
    this.#service = service;
    this.#watching = this.#watch();
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#watching;
    await this.#look();
    await Promise.all(this.#asking);
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
    const found = saved.find(({ service }) => service === this.#service);
    if (found === undefined) return;
    const { split, deployment, reverted, latches } = found.register;
    const now = { split, deployment, reverted, latches };
    const last = this.seen.at(-1);
    const { at: _at, record: _record, ...before } = last ?? { at: 0, record: null };
    if (last !== undefined && isDeepStrictEqual(before, now)) return;
    const isMoved = !isDeepStrictEqual(last?.split?.weights, split?.weights);
    // At once, before anything else is waited for.
    const record = isMoved ? recordNow(this.#database, this.#service, deployment) : null;
    const healthy: Record<string, number> = {};
    this.seen.push({ at: Date.now(), ...now, record: record === null ? null : { ...record, healthy } });
    // Who stands still answers late, and what comes next is not to be missed for that.
    if (record !== null) this.#asking.push(askHealth(found, healthy));
  }
}
