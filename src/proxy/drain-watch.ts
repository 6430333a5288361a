import type { Clock, Milliseconds } from "../model/time.ts";
import type { Receipt } from "../model/traffic.ts";
import type { ToWorker } from "./messages.ts";
import type { ServiceState } from "./service-state.ts";
import { spreadOf, type TrafficSwitch } from "./traffic-switch.ts";

const LOOK_FIRST_MS = 5;
const LOOK_LATER_MS = 50;
/** After the last cut, for connections that take their time to close. */
const GRACE_MS = 2_000;

interface DrainOptions {
  readonly clock: Clock;
  readonly tell: (message: ToWorker) => void;
  readonly onFinal: (receipt: Receipt) => void;
}

/** Follows each switch until the side that lost its weight has drained, and cuts what is over its time. */
export class DrainWatch {
  readonly #options: DrainOptions;
  readonly #stop = new AbortController();

  constructor(options: DrainOptions) {
    this.#options = options;
  }

  follow(change: TrafficSwitch, service: ServiceState): void {
    const traffic = service.table?.traffic;
    const limits = {
      drainMs: traffic?.drainMs ?? 0,
      longLivedMs: Math.max(traffic?.longLivedMs ?? 0, traffic?.drainMs ?? 0),
    };
    void this.#run(change, service, limits);
  }

  close(): void {
    this.#stop.abort();
  }

  async #run(
    change: TrafficSwitch,
    service: ServiceState,
    limits: { drainMs: Milliseconds; longLivedMs: Milliseconds },
  ): Promise<void> {
    const { clock } = this.#options;
    const begun = clock.monotonic();
    const due = [
      { at: limits.drainMs, longLived: false, spreadMs: 0 },
      { at: limits.longLivedMs, longLived: true, spreadMs: spreadOf(limits.longLivedMs) },
    ];
    const worstMs = limits.longLivedMs + spreadOf(limits.longLivedMs) + GRACE_MS;
    while (change.remaining > 0) {
      const elapsed = clock.monotonic() - begun;
      const draining = change.emptied.filter((name) => !isBack(change, service, name) && change.remainingOf(name) > 0);
      const isOver = elapsed >= limits.drainMs && draining.length === 0;
      if (isOver || elapsed >= worstMs) break;
      for (const cut of takeDue(due, elapsed)) this.#cut(change, draining, cut);
      const pause = elapsed < 1_000 ? LOOK_FIRST_MS : LOOK_LATER_MS;
      const isOn = await clock.sleep(pause, this.#stop.signal).then(
        () => true,
        () => false,
      );
      if (!isOn) return;
    }
    this.#options.onFinal(change.end());
  }

  #cut(
    change: TrafficSwitch,
    environments: readonly string[],
    { longLived, spreadMs }: { longLived: boolean; spreadMs: number },
  ): void {
    const { service } = change.facts;
    for (const environment of environments) {
      this.#options.tell({ kind: "cut", service, environment, upTo: change.upTo, longLived, spreadMs });
    }
  }
}

/** Takes out what is due. */
function takeDue<T extends { readonly at: Milliseconds }>(due: T[], elapsed: Milliseconds): readonly T[] {
  const now = due.filter(({ at }) => elapsed >= at);
  due.splice(0, now.length);
  return now;
}

/** Whether the environment has traffic again with what it ran then: its old requests are as good as its new ones. */
function isBack(change: TrafficSwitch, service: ServiceState, environment: string): boolean {
  const hasWeight = (service.register.split?.weights[environment] ?? 0) > 0;
  const before = change.facts.before.at(-1)?.releaseOf(environment) ?? null;
  return hasWeight && service.live?.releaseOf(environment) === before;
}
