import type { MessagePort } from "node:worker_threads";
import type { EpochMilliseconds, Milliseconds, Random } from "../../model/time.ts";
import { DOOR } from "../door-cells.ts";
import { RawHttpEngine } from "../http/raw/raw-engine.ts";
import type { FromWorker, ToWorker, WorkerStart } from "../messages.ts";
import { drawn } from "./drawn.ts";
import { AccessBatch } from "./access-batch.ts";
import { WorkerDispatcher } from "./dispatcher.ts";
import { Door } from "./door.ts";
import { WorkerTables } from "./tables.ts";

interface WorkerOptions {
  readonly start: WorkerStart;
  readonly port: MessagePort;
  readonly now: () => Milliseconds;
  readonly wallNow: () => EpochMilliseconds;
  readonly random: Random;
  readonly onError: (what: string, error: Error) => void;
  /** Takes a line for the proxy's log. */
  readonly log: (line: string) => void;
}

/** One thread that carries traffic. It knows its tables before it accepts the first connection. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { start, port, now, wallNow, random, onError } = options;
  const tables = new WorkerTables(start);
  const tell = (message: FromWorker): void => {
    port.postMessage(message);
  };
  const onEjected = (service: string): void => {
    tell({ kind: "ejected", service });
  };
  const dispatcher = new WorkerDispatcher({ index: start.index, tables, random, now, wallNow, onEjected });
  const access = accessOf(options, tell);
  const engine = new RawHttpEngine({
    dispatcher,
    door: doorOf(options),
    access,
    now,
    random,
    onError,
    settings: start.settings,
  });
  port.on("message", (message: ToWorker) => {
    receive(message, { tables, dispatcher, engine, access, tell, random });
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
function accessOf({ start, now, wallNow }: WorkerOptions, tell: (message: FromWorker) => void): AccessBatch | null {
  const { index, door, settings } = start;
  if (settings.accessLog.to === "none") return null;
  const row = door.subarray(index * DOOR.length, (index + 1) * DOOR.length);
  const send = (text: string, lines: number): void => {
    tell({ kind: "access", text, lines });
  };
  return new AccessBatch({ row, now, wallNow, send });
}

interface Parts {
  readonly tables: WorkerTables;
  readonly dispatcher: WorkerDispatcher;
  readonly engine: RawHttpEngine;
  readonly access: AccessBatch | null;
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
    case "access-answered":
      parts.access?.answered(message.lines, message.isWritten);
      return;
    case "drain":
      void parts.engine.drain(message.deadlineMs).then(() => {
        parts.access?.flush();
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
