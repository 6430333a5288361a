import { parentPort, workerData } from "node:worker_threads";
import type { SourceState } from "../config/source-state.ts";
import { sendError } from "../model/sent-error.ts";
import type { ConfigAnswer, ConfigQuestion } from "./config-thread.ts";
import { readConfig } from "./read-config.ts";

// Entry of the thread that loads teal.yaml.
const { file, variables } = workerData as ConfigQuestion;
const sources: SourceState = new Map();
let answer: ConfigAnswer;
try {
  answer = { config: await readConfig(file, variables, sources), sources };
} catch (thrown) {
  answer = { error: sendError(thrown) };
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.postMessage(answer);
