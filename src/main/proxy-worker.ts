import { parentPort, workerData } from "node:worker_threads";
import type { WorkerStart } from "../proxy/messages.ts";
import { runWorker } from "../proxy/worker/worker.ts";

if (parentPort === null) throw new Error("proxy-worker runs as a worker thread of the proxy only");

const log = (line: string): void => {
  process.stderr.write(`${new Date().toISOString()} proxy worker: ${line}\n`);
};

await runWorker({
  start: workerData as WorkerStart,
  port: parentPort,
  now: () => performance.now(),
  wallNow: Date.now,
  random: Math.random,
  onError: (what, error) => {
    log(`${what}: ${error.message}`);
  },
  log,
});
