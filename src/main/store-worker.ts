import { parentPort, workerData } from "node:worker_threads";
import { openInThread } from "../store/sqlite/in-thread.ts";
import { serveStore } from "../store/thread/serve.ts";
import type { StoreThreadData } from "../store/thread/messages.ts";

// Entry of the store's thread.
if (parentPort === null) throw new Error("the store's thread is started by the server, not by hand");
serveStore(parentPort, () => openInThread(workerData as StoreThreadData, () => performance.now()));
