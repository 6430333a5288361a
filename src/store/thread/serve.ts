import type { MessagePort } from "node:worker_threads";
import { sendError } from "../../model/sent-error.ts";
import type { StoreMethod, SyncStore } from "../sync.ts";
import { type AnswerMessage, type CallMessage, OPENED } from "./messages.ts";

/** Opens the store in this thread and answers calls, one at a time in their order, until `close`. */
export function serveStore(port: MessagePort, open: () => SyncStore): void {
  const answer = (message: AnswerMessage): void => {
    port.postMessage(message);
  };
  let store: SyncStore;
  try {
    store = open();
  } catch (thrown) {
    answer({ id: OPENED, error: sendError(thrown) });
    port.close();
    return;
  }
  port.on("message", (message: CallMessage) => {
    try {
      answer({ id: message.id, value: apply(store, message) });
    } catch (thrown) {
      answer({ id: message.id, error: sendError(thrown) });
    }
    if (message.method === "close") port.close();
  });
  answer({ id: OPENED, value: null });
}

/** The client is typed by {@link Store}, so that method and values belong together. */
function apply(store: SyncStore, message: CallMessage): unknown {
  const methods: Record<StoreMethod, (...values: never[]) => unknown> = store;
  return Reflect.apply(methods[message.method], store, message.values);
}
