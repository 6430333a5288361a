import { type DrainTimes, longestDrainMs, spreadOf } from "../model/drain.ts";
import type { Clock, Milliseconds, Random } from "../model/time.ts";
import type { Receipt } from "../model/traffic.ts";
import { batchTimes } from "./batch-times.ts";
import type { Cuttable, ToWorker } from "./messages.ts";
import type { ServiceState } from "./service-state.ts";
import { Standstill } from "./standstill.ts";
import type { TrafficSwitch } from "./traffic-switch.ts";

const LOOK_FIRST_MS = 5;
const LOOK_LATER_MS = 50;

interface DrainOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly tell: (message: ToWorker) => void;
  readonly onFinal: (receipt: Receipt) => void;
}

/** A time at which something is cut, in ms from the switch. */
interface Cut {
  readonly at: Milliseconds;
  readonly which: Cuttable;
  /** Of what is left. */
  readonly share: number;
}

interface Drain {
  readonly change: TrafficSwitch;
  readonly service: ServiceState;
  readonly times: DrainTimes;
  /** Environments that had traffic again, with what they ran: theirs is to stay. If they lose it once more, that is another drain. */
  readonly spared: Set<string>;
}

/** Follows each switch until the side that lost its weight has drained, and cuts what is over its time. */
export class DrainWatch {
  readonly #options: DrainOptions;
  readonly #stop = new AbortController();
  readonly #drains = new Set<Drain>();

  constructor(options: DrainOptions) {
    this.#options = options;
  }

  /** Call it at once after the flip. `times`: of the traffic section that is live now. */
  follow(change: TrafficSwitch, service: ServiceState, times: DrainTimes): void {
    for (const drain of this.#drains) if (drain.service === service) spare(drain);
    const drain = { change, service, times, spared: new Set<string>() };
    this.#drains.add(drain);
    void this.#run(drain).finally(() => this.#drains.delete(drain));
  }

  /** Ends WebSockets and event streams of a service that began on `upTo` or before, in batches from now on. */
  endLongLived({ name, published, table }: ServiceState, upTo: number): void {
    const { clock, random, tell } = this.#options;
    const batches = batchTimes(spreadOf(table?.traffic.longLivedMs ?? 0), random);
    const environments = (published[0]?.environments ?? []).map(({ environment }) => environment);
    batches.forEach((at, i) => {
      const share = 1 / (batches.length - i);
      const end = (): void => {
        for (const environment of environments)
          tell({ kind: "cut", service: name, environment, upTo, which: "endless", share });
      };
      // Only the end of the process stops it.
      void clock.sleep(at, this.#stop.signal).then(end, () => undefined);
    });
  }

  /** Tells the receipts of all that still drain, as they stand. */
  close(): void {
    this.#stop.abort();
  }

  async #run(drain: Drain): Promise<void> {
    const { change, times, spared } = drain;
    const { clock } = this.#options;
    const begun = clock.monotonic();
    const standstill = new Standstill(begun);
    const due = this.#cuts(times);
    const worstMs = longestDrainMs(times);
    while (change.remaining > 0) {
      const now = clock.monotonic();
      const elapsed = now - begun;
      const draining = change.emptied.filter((name) => !spared.has(name) && change.remainingOf(name) > 0);
      const isOver = elapsed >= times.drainMs && draining.length === 0;
      // Then the workers have answers yet to read, and after them it is all yet to do.
      if (standstill.look(now) === 0) {
        for (const cut of takeDue(due, elapsed)) this.#cut(change, draining, cut);
        if (isOver || elapsed >= worstMs) break;
      }
      const pause = elapsed < 1_000 ? LOOK_FIRST_MS : LOOK_LATER_MS;
      const isOn = await clock.sleep(pause, this.#stop.signal).then(
        () => true,
        () => false,
      );
      // The process ends: what is known by now is told.
      if (!isOn) break;
    }
    this.#options.onFinal(change.end());
  }

  #cuts({ drainMs, longLivedMs }: DrainTimes): Cut[] {
    const from = Math.max(drainMs, longLivedMs);
    const batches = batchTimes(spreadOf(from), this.#options.random);
    return [
      { at: drainMs, which: "silent", share: 1 },
      ...batches.map((at, i): Cut => ({ at: from + at, which: "all", share: 1 / (batches.length - i) })),
    ];
  }

  #cut(change: TrafficSwitch, environments: readonly string[], { which, share }: Cut): void {
    const { service } = change.facts;
    for (const environment of environments)
      this.#options.tell({ kind: "cut", service, environment, upTo: change.upTo, which, share });
  }
}

/** Takes out what is due. */
function takeDue<T extends { readonly at: Milliseconds }>(due: T[], elapsed: Milliseconds): readonly T[] {
  const now = due.filter(({ at }) => elapsed >= at);
  due.splice(0, now.length);
  return now;
}

/** An environment that has traffic again with what it ran then: its old requests are as good as its new ones. */
function spare({ change, service, spared }: Drain): void {
  for (const name of change.emptied) {
    const hasWeight = (service.register.split?.weights[name] ?? 0) > 0;
    const before = change.facts.before.at(-1)?.releaseOf(name) ?? null;
    if (hasWeight && service.live?.releaseOf(name) === before) spared.add(name);
  }
}
