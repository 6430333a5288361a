import type { Milliseconds } from "../../../model/time.ts";
import { MAX_IDLE_UPSTREAMS, SAFE_IDLE_MS, UPSTREAM_IDLE_MS } from "./limits.ts";
import type { Sweeper } from "./sweeper.ts";
import { Upstream, type UpstreamKeeper, type UpstreamUser } from "./upstream.ts";

/** Idle connections to one instance, newest last. */
interface Shelf {
  readonly host: string;
  readonly port: number;
  readonly idle: Upstream[];
}

/** Kept connections to instances, newest first. */
export class UpstreamPool implements UpstreamKeeper {
  readonly sweeper: Sweeper;
  readonly now: () => Milliseconds;
  readonly onError: (what: string, error: Error) => void;
  readonly timeouts: UpstreamKeeper["timeouts"];
  /** By port: a number, so that a request makes no key. */
  readonly #shelves = new Map<number, Shelf[]>();

  constructor({ sweeper, now, onError, timeouts }: Omit<UpstreamKeeper, "gone">) {
    this.sweeper = sweeper;
    this.now = now;
    this.onError = onError;
    this.timeouts = timeouts;
  }

  /** A kept connection that is good for the request, or a new one that is not connected yet. */
  take(host: string, port: number, isReplayable: boolean, user: UpstreamUser): Upstream {
    const idle = this.#shelfOf(host, port)?.idle;
    const newest = idle?.at(-1);
    if (newest === undefined || (!isReplayable && !this.#isSurelyOpen(newest))) return this.dial(host, port, user);
    idle?.pop();
    newest.user = user;
    newest.dueAt = Infinity;
    return newest;
  }

  /**
   * The instance has no reason to have closed it. After a standstill any that idles may be closed already, also one whose
   * answer was read only just now.
   */
  #isSurelyOpen({ idleSince, safeMs }: Upstream): boolean {
    const now = this.now();
    return now - idleSince <= safeMs && !this.sweeper.hasUnread(now);
  }

  dial(host: string, port: number, user: UpstreamUser): Upstream {
    return new Upstream(host, port, user, this);
  }

  /** Keeps a connection whose exchange is over. `announcedS`: its `Keep-Alive: timeout=`; -1: it said nothing. */
  give(upstream: Upstream, announcedS: number): void {
    const shelf = this.#shelfOf(upstream.host, upstream.port) ?? this.#addShelf(upstream.host, upstream.port);
    if (shelf.idle.length >= MAX_IDLE_UPSTREAMS || announcedS === 0) {
      upstream.destroy();
      return;
    }
    const announcedMs = announcedS < 0 ? Infinity : announcedS * 1_000;
    const now = this.now();
    upstream.user = null;
    upstream.idleSince = now;
    upstream.safeMs = Math.min(SAFE_IDLE_MS, announcedMs / 2);
    // A second before the instance ends it, or at half its time: whichever is later.
    upstream.dueAt = now + Math.min(UPSTREAM_IDLE_MS, Math.max(announcedMs - 1_000, announcedMs / 2));
    upstream.link.resume();
    shelf.idle.push(upstream);
  }

  gone(upstream: Upstream): void {
    const shelf = this.#shelfOf(upstream.host, upstream.port);
    if (shelf === undefined) return;
    const at = shelf.idle.lastIndexOf(upstream);
    if (at >= 0) shelf.idle.splice(at, 1);
    if (shelf.idle.length === 0) this.#dropShelf(shelf);
  }

  /** Ends all that idle. */
  close(): void {
    const idle = [...this.#shelves.values()].flat().flatMap((shelf) => shelf.idle);
    for (const upstream of idle) upstream.destroy();
  }

  #shelfOf(host: string, port: number): Shelf | undefined {
    const shelves = this.#shelves.get(port);
    if (shelves === undefined) return undefined;
    for (const shelf of shelves) if (shelf.host === host) return shelf;
    return undefined;
  }

  #addShelf(host: string, port: number): Shelf {
    const shelf: Shelf = { host, port, idle: [] };
    this.#shelves.set(port, [...(this.#shelves.get(port) ?? []), shelf]);
    return shelf;
  }

  /** Instances come and go; nothing of one that went stays. */
  #dropShelf(shelf: Shelf): void {
    const left = (this.#shelves.get(shelf.port) ?? []).filter((other) => other !== shelf);
    if (left.length > 0) this.#shelves.set(shelf.port, left);
    else this.#shelves.delete(shelf.port);
  }
}
