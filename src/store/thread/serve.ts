import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { sendError } from "../../model/sent-error.ts";
import type { StoreMethod, SyncStore } from "../sync.ts";
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
  const answer = (message: AnswerMessage): void => {
    port.postMessage(message);
  };
  let store: ThreadStore;
  try {
    store = open();
  } catch (thrown) {
    answer({ id: OPENED, error: sendError(thrown) });
    port.close();
    return;
  }
  const taskOf = (message: CallMessage): Parameters<ThreadStore["together"]>[0][number] => ({
    run: () => apply(store, message),
    settle: (outcome) => {
      if ("error" in outcome) answer({ id: message.id, error: sendError(outcome.error) });
      else answer({ id: message.id, value: outcome.value });
    },
  });
  port.on("message", (first: CallMessage) => {
    const { calls, close } = waiting(port, first);
    store.together(calls.map(taskOf));
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

/** The calls that have come while the one before was worked on. */
function waiting(
  port: MessagePort,
  first: CallMessage,
): { readonly calls: readonly CallMessage[]; readonly close: CallMessage | null } {
  const calls: CallMessage[] = [];
  for (let next: CallMessage | undefined = first; next !== undefined; next = received(port)) {
    if (next.method === "close") return { calls, close: next };
    calls.push(next);
    if (calls.length === MOST_TOGETHER) break;
  }
  return { calls, close: null };
}

function received(port: MessagePort): CallMessage | undefined {
  const next: { readonly message: CallMessage } | undefined = receiveMessageOnPort(port);
  return next?.message;
}

/** The client is typed by {@link Store}, so that method and values belong together. */
function apply(store: SyncStore, message: CallMessage): unknown {
  const methods: Record<StoreMethod, (...values: never[]) => unknown> = store;
  return Reflect.apply(methods[message.method], store, message.values);
}
