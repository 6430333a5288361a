import { TealError } from "../model/error.ts";
import type { TealEvent } from "../model/event.ts";
import type { InstanceStatus } from "../model/environment.ts";
import type { TrafficSample } from "../model/traffic.ts";
import type { TrafficNotice } from "../ports/traffic.ts";

/** What the engine's parts tell each other while the process lives; what must last is in the store. */
export interface HubTopics {
  event: TealEvent;
  sample: TrafficSample;
  notice: TrafficNotice;
  instance: { readonly service: string; readonly environment: string; readonly instance: InstanceStatus };
}

type Listener<T> = (message: T) => void;

/** Typed, synchronous publish and subscribe. A listener must not throw. */
export class Hub {
  readonly #listeners = new Map<keyof HubTopics, Set<Listener<never>>>();

  publish<K extends keyof HubTopics>(topic: K, message: HubTopics[K]): void {
    for (const listener of this.#of(topic)) listener(message);
  }

  /** Listens until the signal aborts. */
  subscribe<K extends keyof HubTopics>(topic: K, listener: Listener<HubTopics[K]>, signal: AbortSignal): void {
    if (signal.aborted) return;
    const listeners = this.#of(topic);
    listeners.add(listener);
    signal.addEventListener("abort", () => listeners.delete(listener), { once: true });
  }

  /**
   * Resolves at the next message that `matches`.
   * @throws the signal's reason when it aborts first.
   */
  next<K extends keyof HubTopics>(
    topic: K,
    matches: (message: HubTopics[K]) => boolean,
    signal: AbortSignal,
  ): Promise<HubTopics[K]> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(reasonOf(signal));
        return;
      }
      const listeners = this.#of(topic);
      const onAbort = (): void => {
        listeners.delete(listener);
        reject(reasonOf(signal));
      };
      const listener = (message: HubTopics[K]): void => {
        if (!matches(message)) return;
        listeners.delete(listener);
        signal.removeEventListener("abort", onAbort);
        resolve(message);
      };
      listeners.add(listener);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  #of<K extends keyof HubTopics>(topic: K): Set<Listener<HubTopics[K]>> {
    let listeners = this.#listeners.get(topic);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(topic, listeners);
    }
    return listeners as Set<Listener<HubTopics[K]>>;
  }
}

export function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new TealError("aborted", String(signal.reason));
}
