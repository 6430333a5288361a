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

/** Topics whose messages are each about one service. */
type ServiceTopic = "sample" | "instance";

/** Typed, synchronous publish and subscribe. A listener must not throw. */
export class Hub {
  /** By topic, or by topic and service. */
  readonly #listeners = new Map<string, Set<Listener<never>>>();

  publish<K extends keyof HubTopics>(topic: K, message: HubTopics[K]): void {
    for (const listener of this.#of<K>(topic)) listener(message);
    if (!("service" in message) || message.service === null) return;
    const own = this.#listeners.get(`${topic} ${message.service}`);
    if (own !== undefined) for (const listener of own as Set<Listener<HubTopics[K]>>) listener(message);
  }

  /** Listens until the signal aborts. */
  subscribe<K extends keyof HubTopics>(topic: K, listener: Listener<HubTopics[K]>, signal: AbortSignal): void {
    this.#listen(topic, listener, signal);
  }

  /** As {@link subscribe}, to what is about one service: with hundreds of listeners the rest costs nothing. */
  subscribeTo<K extends ServiceTopic>(
    topic: K,
    service: string,
    listener: Listener<HubTopics[K]>,
    signal: AbortSignal,
  ): void {
    this.#listen(`${topic} ${service}`, listener, signal);
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
      const listeners = this.#of<K>(topic);
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

  #listen<K extends keyof HubTopics>(key: string, listener: Listener<HubTopics[K]>, signal: AbortSignal): void {
    if (signal.aborted) return;
    const listeners = this.#of<K>(key);
    listeners.add(listener);
    signal.addEventListener(
      "abort",
      () => {
        listeners.delete(listener);
        if (listeners.size === 0 && this.#listeners.get(key) === listeners) this.#listeners.delete(key);
      },
      { once: true },
    );
  }

  #of<K extends keyof HubTopics>(key: string): Set<Listener<HubTopics[K]>> {
    let listeners = this.#listeners.get(key);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(key, listeners);
    }
    return listeners as Set<Listener<HubTopics[K]>>;
  }
}

export function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new TealError("aborted", String(signal.reason));
}
