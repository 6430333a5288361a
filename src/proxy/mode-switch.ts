import { TealError } from "../model/error.ts";
import { modeAt } from "../model/maintenance.ts";
import type { Clock, EpochMilliseconds } from "../model/time.ts";
import type { ServiceMaintenance } from "../wire/proxy.ts";
import { SERVICE_CELL } from "./cells.ts";
import type { Crew } from "./crew.ts";
import type { PublishedMode } from "./messages.ts";
import type { ServiceState } from "./service-state.ts";

/**
 * Whether an order of maintenance may become live: `newer`, or `same` as what is.
 * @throws `fenced` when something newer is live, or the service's split has a higher fence
 */
function judgeMaintenance(service: ServiceState, asked: ServiceMaintenance): "newer" | "same" {
  const { maintenance: known, register } = service;
  const order = known === null ? 1 : asked.fence - known.fence || asked.revision - known.revision;
  const isOther = order === 0 && JSON.stringify(asked.order) !== JSON.stringify(known?.order);
  if (order < 0 || isOther || asked.fence < (register.split?.fence ?? 0)) {
    throw new TealError(
      "fenced",
      `maintenance (${String(asked.fence)}, ${String(asked.revision)}) of ${service.name} is not newer than what is live, or differs under the same number`,
    );
  }
  return order === 0 ? "same" : "newer";
}

/** Makes modes live, and ends holds by themselves when their time is over. */
export class ModeSwitch {
  readonly #clock: Clock;
  readonly #crew: Pick<Crew, "publish" | "tell">;
  readonly #onChanged: (service: string) => void;
  readonly #ends = new Map<string, AbortController>();
  /** One after another, so that the newest is what stays live. */
  #turn: Promise<unknown> = Promise.resolve();
  #number = 0;

  constructor(clock: Clock, crew: Pick<Crew, "publish" | "tell">, onChanged: (service: string) => void) {
    this.#clock = clock;
    this.#crew = crew;
    this.#onChanged = onChanged;
  }

  /**
   * Two-phase, as a split: every worker knows the mode before it is live in all of them at once. `check` may refuse it
   * first. Resolves to whether anything is new.
   */
  order(service: ServiceState, asked: ServiceMaintenance, check: () => void): Promise<boolean> {
    return this.#inTurn(async () => {
      if (judgeMaintenance(service, asked) === "same") return false;
      check();
      await this.#change(service, asked);
      return true;
    });
  }

  /** What the snapshot has, before there are workers: they start with it. */
  restore(service: ServiceState, maintenance: ServiceMaintenance): void {
    this.#goLive(service, maintenance, this.#published(service, maintenance, this.#clock.now()));
  }

  close(): void {
    for (const end of this.#ends.values()) end.abort();
  }

  async #change(service: ServiceState, maintenance: ServiceMaintenance, at = this.#clock.now()): Promise<void> {
    const mode = this.#published(service, maintenance, at);
    if (mode !== null) await this.#crew.publish([], null, [mode]);
    this.#goLive(service, maintenance, mode);
  }

  #published(
    { name, cell, modeCounters }: ServiceState,
    { order }: ServiceMaintenance,
    at: EpochMilliseconds,
  ): PublishedMode | null {
    const mode = modeAt(order, at);
    if (mode === "off") return null;
    this.#number += 1;
    return { service: name, number: this.#number, cell, counters: modeCounters, mode, order };
  }

  #goLive(service: ServiceState, maintenance: ServiceMaintenance, mode: PublishedMode | null): void {
    service.maintenance = maintenance;
    service.mode = mode;
    Atomics.store(service.cell, SERVICE_CELL.mode, mode?.number ?? 0);
    this.#crew.tell({ kind: "wake", service: service.name });
    this.#onChanged(service.name);
    this.#ends.get(service.name)?.abort();
    const until = mode?.mode === "hold" ? mode.order.until : null;
    if (until !== null) void this.#endAt(until, service);
  }

  /**
   * A hold that nobody lifts. What was ordered says by itself what it becomes, so the snapshot needs no change. It lasts as
   * long as it was to last when it became live, however the wall clock is set meanwhile.
   */
  async #endAt(until: EpochMilliseconds, service: ServiceState): Promise<void> {
    const { maintenance } = service;
    const end = new AbortController();
    this.#ends.set(service.name, end);
    try {
      await this.#clock.sleep(Math.max(0, until - this.#clock.now()), end.signal);
    } catch {
      // Something newer is live, or the proxy ends.
      return;
    }
    await this.#inTurn(async () => {
      if (maintenance === null || service.maintenance !== maintenance) return;
      await this.#change(service, maintenance, Math.max(until, this.#clock.now()));
    });
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(task);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
