import { once } from "node:events";
import { BoundSocket, connect, type Socket } from "node:net";
import { MessageChannel } from "node:worker_threads";
import { DEFAULT_PROXY_SETTINGS } from "../../model/proxy-settings.ts";
import { COUNTER, INSTANCE_CELL, LEDGER, PROCESS_CELL, readCounters, sharedInts, sharedNumbers } from "../cells.ts";
import { DOOR } from "../door-cells.ts";
import { Instance } from "../http/raw/engine-harness.ts";
import type { FromWorker, PublishedTable, ToWorker } from "../messages.ts";
import { runWorker } from "./worker.ts";

/** What a request came to, as the data plane counts. */
export interface Counted {
  readonly requests: number;
  readonly failures: number;
  readonly retried: number;
  readonly connectFailures: number;
  /** 1xx … 5xx. */
  readonly classes: readonly number[];
}

/** A client whose bytes a test writes by hand. */
export class RawClient {
  readonly socket: Socket;
  text = "";
  /** How the other side ended it. */
  ended: "" | "end" | "reset" = "";

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => (this.text += chunk.toString("latin1")));
    socket.once("end", () => (this.ended = "end"));
    socket.once("error", () => (this.ended = "reset"));
  }
}

/** A real worker, run by this thread, in front of one instance that does what a test says. */
export class WorkerHarness {
  readonly errors: Error[] = [];
  /** The worker's time, which passes only here. */
  nowMs = 0;
  readonly #bound = new BoundSocket({ host: "127.0.0.1", port: 0 });
  readonly #channel = new MessageChannel();
  readonly #counters = sharedNumbers(2 * COUNTER.length);
  readonly #ledger = sharedNumbers(LEDGER.length);
  readonly #cell = sharedInts(INSTANCE_CELL.inFlight + 1);
  readonly #clients: Socket[] = [];
  readonly #socketsBefore = countSockets();
  readonly instance: Instance;

  constructor(onConnection: (socket: Socket, count: number) => void) {
    this.instance = new Instance(onConnection);
  }

  async start(): Promise<this> {
    await this.instance.listen();
    Atomics.store(this.#cell, INSTANCE_CELL.healthy, 1);
    // Read before the descriptor goes over to the worker.
    void this.port;
    await runWorker({
      start: {
        index: 0,
        workers: 1,
        settings: DEFAULT_PROXY_SETTINGS,
        processCell: sharedInts(PROCESS_CELL.length),
        door: sharedNumbers(DOOR.length),
        tables: [this.#table()],
        routes: { version: 0, routes: [{ service: "web", hosts: [], paths: ["/"] }] },
        modes: [],
        fds: [this.#bound.fd()],
      },
      port: this.#channel.port1,
      now: () => this.nowMs,
      wallNow: () => 0,
      random: () => 0,
      onError: (_, error) => this.errors.push(error),
      log: () => undefined,
    });
    return this;
  }

  get port(): number {
    return this.#bound.address().port;
  }

  get counted(): Counted {
    const { requests, failures, retried, connectFailures, classes } = readCounters(this.#counters);
    return { requests, failures, retried, connectFailures, classes };
  }

  /** All that must be zero once nothing is under way; `sockets`: both ends of every connection, as both are here. */
  get underWay(): { inFlight: number; atInstance: number; inLedger: number; sockets: number } {
    return {
      inFlight: readCounters(this.#counters).inFlight,
      atInstance: Atomics.load(this.#cell, INSTANCE_CELL.inFlight),
      inLedger: (this.#ledger[LEDGER.started] ?? 0) - (this.#ledger[LEDGER.ended] ?? 0),
      sockets: countSockets() - this.#socketsBefore,
    };
  }

  async client(): Promise<RawClient> {
    const socket = connect({ port: this.port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    this.#clients.push(socket);
    const client = new RawClient(socket);
    await once(socket, "connect");
    return client;
  }

  /** What clients and the instance hold is given up: the worker has to notice by itself. */
  leave(): void {
    for (const client of this.#clients) client.destroy();
  }

  /** As when the time of long-lived requests is over after a switch. */
  cut(): void {
    this.#tell({ kind: "cut", service: "web", environment: "blue", upTo: 0, which: "endless", share: 1 });
  }

  async close(): Promise<void> {
    this.leave();
    this.instance.close();
    const { port2 } = this.#channel;
    const drained = new Promise<void>((resolve) => {
      port2.on("message", (message: FromWorker) => {
        if (message.kind === "drained") resolve();
      });
    });
    this.#tell({ kind: "drain", deadlineMs: 0 });
    await drained;
    port2.close();
  }

  #tell(message: ToWorker): void {
    this.#channel.port2.postMessage(message);
  }

  #table(): PublishedTable {
    const { port } = this.instance;
    return {
      service: "web",
      version: 0,
      cell: sharedInts(8),
      ledger: this.#ledger,
      armed: false,
      shares: [{ environment: "blue", weight: 100 }],
      affinity: null,
      environments: [
        {
          environment: "blue",
          release: "v1",
          counters: this.#counters,
          users: null,
          clients: null,
          instances: [{ id: "web/blue/v1/0", host: "127.0.0.1", port, cell: this.#cell }],
        },
      ],
    };
  }
}

function countSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
}
