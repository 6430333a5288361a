import type { ProxyTimeouts } from "../../../model/proxy-settings.ts";
import type { Milliseconds } from "../../../model/time.ts";
import { Backlog } from "./backlog.ts";
import { Link } from "./link.ts";
import { dial, type SocketEvents } from "./socket.ts";
import type { Sweeper, Swept } from "./sweeper.ts";

/** Who uses a connection to an instance at the moment. */
export interface UpstreamUser {
  upstreamConnected(): void;
  /** Takes bytes, and returns up to where; the rest comes again with more. */
  upstreamReceived(bytes: Buffer, from: number, to: number): number;
  /** The instance ended its direction. */
  upstreamEnded(): void;
  upstreamDrained(): void;
  /** The connection is no more; the user has been let go. */
  upstreamClosed(upstream: Upstream): void;
  upstreamDue(now: Milliseconds): void;
}

/** Told about connections that nobody uses. */
export interface UpstreamKeeper {
  readonly sweeper: Sweeper;
  readonly now: () => Milliseconds;
  readonly onError: (what: string, error: Error) => void;
  readonly timeouts: Pick<ProxyTimeouts, "connectMs" | "writeMs">;
  /** It has closed. */
  gone(upstream: Upstream): void;
}

/** One connection to an instance: connecting, in use by one request at a time, idle, gone. */
export class Upstream implements SocketEvents, Swept {
  readonly host: string;
  readonly port: number;
  readonly link: Link;
  dueAt: Milliseconds;
  user: UpstreamUser | null;
  isConnected = false;
  isGone = false;
  /** Since when it idles, and how long it may and still take a request that cannot be sent again. */
  idleSince: Milliseconds = 0;
  safeMs: Milliseconds = 0;
  readonly #keeper: UpstreamKeeper;
  readonly #backlog = new Backlog();
  #isFinishing = false;

  constructor(host: string, port: number, user: UpstreamUser, keeper: UpstreamKeeper) {
    this.host = host;
    this.port = port;
    this.user = user;
    this.#keeper = keeper;
    this.dueAt = keeper.now() + keeper.timeouts.connectMs;
    keeper.sweeper.add(this);
    this.link = new Link(dial(host, port, this));
  }

  /** Nothing of the last exchange is left in it. */
  get isClean(): boolean {
    return !this.isGone && this.link.isDrained && this.link.socket.readable;
  }

  /** Its user hears no more of it, and the instance gets all that was written, if it takes it in time. */
  finish(): void {
    this.user = null;
    if (this.isGone) return;
    this.#isFinishing = true;
    this.dueAt = this.#keeper.now() + this.#keeper.timeouts.writeMs;
    // It must be read to hear of its end.
    this.link.resume();
    this.link.finish();
  }

  /** Its user hears no more of it. */
  destroy(): void {
    this.user = null;
    this.#leave();
    this.link.socket.destroy();
  }

  connected(): void {
    this.isConnected = true;
    this.dueAt = Infinity;
    this.user?.upstreamConnected();
  }

  received(shared: Buffer, length: number): void {
    if (this.#isFinishing) return;
    if (this.user === null) {
      // An answer that nobody asked for.
      this.destroy();
      return;
    }
    const backlog = this.#backlog;
    if (backlog.size === 0) {
      const used = this.user.upstreamReceived(shared, 0, length);
      if (used < length && !this.isGone) backlog.append(shared, used, length);
      return;
    }
    backlog.append(shared, 0, length);
    const { buffer, start, end } = backlog;
    // Emptied first: the user may give the connection back while it takes the bytes.
    backlog.clear();
    const used = this.user.upstreamReceived(buffer, start, end);
    if (used < end && !this.isGone) backlog.append(buffer, used, end);
  }

  failed(error: Error): void {
    this.#keeper.onError("a connection to an instance", error);
    this.link.socket.destroy();
  }

  readEnded(): void {
    if (this.user !== null) this.user.upstreamEnded();
    else if (!this.#isFinishing) this.destroy();
  }

  drained(): void {
    this.user?.upstreamDrained();
  }

  closed(): void {
    const { user } = this;
    this.user = null;
    this.#leave();
    user?.upstreamClosed(this);
  }

  due(now: Milliseconds): void {
    if (this.user !== null && this.isConnected) {
      this.dueAt = Infinity;
      this.user.upstreamDue(now);
    } else {
      // Idle for long enough, or no connection in time: then `closed` tells the user.
      this.dueAt = Infinity;
      this.link.socket.destroy();
    }
  }

  #leave(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.#backlog.clear();
    this.#keeper.sweeper.delete(this);
    this.#keeper.gone(this);
  }
}
