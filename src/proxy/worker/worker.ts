import type { MessagePort } from "node:worker_threads";
import type { Milliseconds, Random } from "../../model/time.ts";
import { RawHttpEngine } from "../http/raw/raw-engine.ts";
import type { FromWorker, ToWorker, WorkerStart } from "../messages.ts";
import { drawn } from "./drawn.ts";
import { WorkerDispatcher } from "./dispatcher.ts";
import { Door } from "./door.ts";
import { WorkerTables } from "./tables.ts";

interface WorkerOptions {
  readonly start: WorkerStart;
  readonly port: MessagePort;
  readonly now: () => Milliseconds;
  readonly random: Random;
  readonly onError: (what: string, error: Error) => void;
  /** Takes a line for the proxy's log. */
  readonly log: (line: string) => void;
}

/** One thread that carries traffic. It knows its tables before it accepts the first connection. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { start, port, now, random, onError } = options;
  const tables = new WorkerTables(start);
  const dispatcher = new WorkerDispatcher({ index: start.index, tables, random, now });
  const engine = new RawHttpEngine({
    dispatcher,
    door: doorOf(options),
    now,
    random,
    onError,
    settings: start.settings,
  });
  const tell = (message: FromWorker): void => {
    port.postMessage(message);
  };
  port.on("message", (message: ToWorker) => {
    receive(message, { tables, dispatcher, engine, tell, random });
  });
  await engine.listen(start.fds);
  tell({ kind: "listening" });
}

function doorOf({ start, now, log }: WorkerOptions): Door {
  const { index, workers, door: cells, settings } = start;
  const lines = Math.ceil(settings.refusedLines / workers);
  return new Door({ cells, index, connections: settings.limits.connections, lines, now, log });
}

type Cut = Extract<ToWorker, { kind: "cut" }>;

interface Parts {
  readonly tables: WorkerTables;
  readonly dispatcher: WorkerDispatcher;
  readonly engine: RawHttpEngine;
  readonly tell: (message: FromWorker) => void;
  readonly random: Random;
}

function receive(message: ToWorker, parts: Parts): void {
  switch (message.kind) {
    case "publish":
      parts.tables.learn(message.tables, message.routes, message.modes);
      parts.tell({ kind: "acknowledged", number: message.number });
      return;
    case "live":
      parts.tables.service(message.service)?.forgetBefore(message.version);
      parts.dispatcher.wake(message.service);
      return;
    case "wake":
      parts.dispatcher.wake(message.service);
      return;
    case "cut":
      cut(message, parts);
      return;
    case "drain":
      void parts.engine.drain(message.deadlineMs).then(() => {
        parts.tell({ kind: "drained" });
      });
      return;
    default:
      message satisfies never;
  }
}

function cut({ service, environment, upTo, which, share }: Cut, { dispatcher, random }: Parts): void {
  const due = dispatcher.activeOf(service, environment, upTo).filter((exchange) => exchange.isCuttable(which));
  for (const exchange of drawn(due, share, random)) exchange.cut();
}
