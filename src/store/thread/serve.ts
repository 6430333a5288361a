import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { sendError } from "../../model/sent-error.ts";
import { READS, type StoreMethod, type SyncStore } from "../sync.ts";
import { type AnswerMessage, type CallMessage, OPENED } from "./messages.ts";

/** Calls that are committed together at most: an answer is not held back for longer than these take. */
const MOST_TOGETHER = 64;

/** What the thread serves: a store that can write what several calls ask with one sync of the disk. */
export interface ThreadStore extends SyncStore {
  together(
    tasks: readonly {
      readonly run: () => unknown;
      readonly settle: (outcome: { readonly value: unknown } | { readonly error: unknown }) => void;
    }[],
  ): void;
}

/** Opens the store in this thread and answers calls in their order, those that wait at the same time together, until `close`. */
export function serveStore(port: MessagePort, open: () => ThreadStore): void {
  const answer = (...messages: readonly AnswerMessage[]): void => {
    if (messages.length > 0) port.postMessage(messages);
  };
  let store: ThreadStore;
  try {
    store = open();
  } catch (thrown) {
    answer({ id: OPENED, error: sendError(thrown) });
    port.close();
    return;
  }
  const work = (calls: readonly CallMessage[]): void => {
    const answers: AnswerMessage[] = [];
    store.together(
      calls.map((call) => ({
        run: () => apply(store, call),
        settle: (outcome) => {
          if ("error" in outcome) answers.push({ id: call.id, error: sendError(outcome.error) });
          else answers.push({ id: call.id, value: outcome.value });
        },
      })),
    );
    answer(...answers);
  };
  port.on("message", (first: readonly CallMessage[]) => {
    const { calls, close } = waiting(port, first);
    const firstWrite = calls.findIndex(({ method }) => !READS.has(method));
    const reads = firstWrite === -1 ? calls.length : firstWrite;
    // Those that nothing has been written before are not held back until what comes after them is on disk.
    for (const some of [...inPieces(calls.slice(0, reads)), ...inPieces(calls.slice(reads))]) work(some);
    if (close === null) return;
    try {
      answer({ id: close.id, value: apply(store, close) });
    } catch (thrown) {
      answer({ id: close.id, error: sendError(thrown) });
    }
    port.close();
  });
  answer({ id: OPENED, value: null });
}

function inPieces(calls: readonly CallMessage[]): (readonly CallMessage[])[] {
  const count = Math.ceil(calls.length / MOST_TOGETHER);
  return Array.from({ length: count }, (_, index) => calls.slice(index * MOST_TOGETHER, (index + 1) * MOST_TOGETHER));
}

/** The calls that have come while those before were worked on, up to the one that closes the store. */
function waiting(
  port: MessagePort,
  first: readonly CallMessage[],
): { readonly calls: readonly CallMessage[]; readonly close: CallMessage | null } {
  const calls: CallMessage[] = [];
  for (let next: readonly CallMessage[] | undefined = first; next !== undefined; next = received(port)) {
    for (const call of next) {
      if (call.method === "close") return { calls, close: call };
      calls.push(call);
    }
    if (calls.length >= MOST_TOGETHER) break;
  }
  return { calls, close: null };
}

function received(port: MessagePort): readonly CallMessage[] | undefined {
  const next: { readonly message: readonly CallMessage[] } | undefined = receiveMessageOnPort(port);
  return next?.message;
}

/** The client is typed by {@link Store}, so that method and values belong together. */
function apply(store: SyncStore, message: CallMessage): unknown {
  const methods: Record<StoreMethod, (...values: never[]) => unknown> = store;
  return Reflect.apply(methods[message.method], store, message.values);
}
