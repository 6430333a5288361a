import { once } from "node:events";
import { type AddressInfo, BoundSocket, connect, createServer, type Server, type Socket } from "node:net";
import type { Admission, Dispatcher, Exchange, RequestFacts } from "../engine.ts";
import { DEFAULT_PROXY_SETTINGS, type ProxySettings } from "../../../model/proxy-settings.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { REFUSAL } from "../refusal.ts";
import { RawHttpEngine } from "./raw-engine.ts";

/** More than one sweep of the deadlines. */
const SETTLED_MS = 600;

/** What an exchange was told, in order. */
export interface Account {
  readonly events: string[];
  readonly facts: RequestFacts;
  cut(): void;
  isStreaming(): boolean;
}

/** An instance that does with its connections what a test says. */
export class Instance {
  readonly server: Server;
  readonly sockets = new Set<Socket>();
  connections = 0;
  port = 0;

  constructor(onConnection: (socket: Socket, count: number) => void) {
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.connections += 1;
      this.sockets.add(socket);
      socket.once("close", () => this.sockets.delete(socket));
      socket.on("error", () => socket.destroy());
      onConnection(socket, this.connections);
      socket.on("end", () => socket.end());
      socket.resume();
    });
  }

  async listen(): Promise<this> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

/** An engine on a real port, whose requests all go to the given ports in turn. */
export class EngineHarness implements Dispatcher {
  readonly accounts: Account[] = [];
  readonly errors: Error[] = [];
  readonly engine: RawHttpEngine;
  /** Tried in this order. */
  ports: number[] = [];
  hold: Promise<void> | null = null;
  /** Time that is said to have passed. */
  skewMs = 0;
  /** Reasons of what was refused, and connections that are open. */
  readonly refused: string[] = [];
  open = 0;
  readonly door = {
    opened: (): boolean => {
      if (this.open >= this.#connections) return false;
      this.open += 1;
      return true;
    },
    closed: (): void => {
      this.open -= 1;
    },
    refused: (reason: string, address: string, detail: string): void => {
      this.refused.push(`${reason} ${address} ${detail}`.trimEnd());
    },
  };
  readonly #connections: number;
  readonly #bound = new BoundSocket({ host: "127.0.0.1", port: 0 });
  readonly #instances: Instance[] = [];
  readonly #clients: Socket[] = [];

  constructor(settings: Partial<ProxySettings> = {}) {
    this.#connections = settings.limits?.connections ?? Infinity;
    this.engine = new RawHttpEngine({
      dispatcher: this,
      settings: { ...DEFAULT_PROXY_SETTINGS, ...settings },
      door: this.door,
      access: null,
      now: () => performance.now() + this.skewMs,
      random: () => 0,
      onError: (_, error) => this.errors.push(error),
    });
  }

  get port(): number {
    return this.#bound.address().port;
  }

  async start(): Promise<void> {
    void this.port;
    await this.engine.listen([this.#bound.fd()]);
  }

  /** Bytes that were written have been looked at, and deadlines, too. */
  async settled(): Promise<void> {
    await sleep(SETTLED_MS);
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    for (const instance of this.#instances) instance.close();
    await this.engine.drain(0);
  }

  async instance(onConnection: (socket: Socket, count: number) => void): Promise<Instance> {
    const instance = await new Instance(onConnection).listen();
    this.#instances.push(instance);
    this.ports = [instance.port];
    return instance;
  }

  async client(): Promise<Socket> {
    const socket = connect({
      port: this.port,
      host: "127.0.0.1",
      allowHalfOpen: true,
      noDelay: true,
    });
    socket.on("error", () => socket.destroy());
    this.#clients.push(socket);
    await once(socket, "connect");
    return socket;
  }

  admit(facts: RequestFacts): Admission {
    const events: string[] = [];
    const ports = [...this.ports];
    let replays = 0;
    const begunAt = performance.now();
    const at = (port: number | undefined): Exchange | null => {
      if (port === undefined) return null;
      current.port = port;
      return current;
    };
    const current: Exchange & { port: number } = {
      host: "127.0.0.1",
      port: ports[0] ?? 0,
      begunAt,
      connected: () => events.push("connected"),
      connectFailed: () => {
        events.push("connectFailed");
        ports.shift();
        return at(ports[0]) ?? REFUSAL["no-instance"];
      },
      replay: () => {
        events.push("replay");
        replays += 1;
        return replays > 2 ? null : at(ports[0]);
      },
      responded: (status) => events.push(`responded ${String(status)}`),
      markLongLived: () => events.push("longLived"),
      broken: () => events.push("broken"),
      gaveUp: (status) => events.push(`gaveUp ${String(status)}`),
      end: () => {
        if (events.at(-1) !== "end") events.push("end");
      },
      onCut: () => undefined,
      isStreaming: () => false,
    };
    this.accounts.push({
      events,
      facts,
      cut: () => {
        current.onCut();
      },
      isStreaming: () => current.isStreaming(),
    });
    const { hold } = this;
    return hold === null ? current : hold.then(() => current);
  }
}
