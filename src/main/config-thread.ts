import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { canonical } from "../config/canonical.ts";
import type { TealConfig } from "../config/config.ts";
import type { SourceState } from "../config/source-state.ts";
import { TealError } from "../model/error.ts";
import { receiveError, type SentError } from "../model/sent-error.ts";
import type { Milliseconds } from "../model/time.ts";

/** What the thread is started with. */
export interface ConfigQuestion {
  readonly file: string;
  /** Values for `${env:X}`. */
  readonly variables: Readonly<Record<string, string>>;
}

export interface LoadedConfig {
  readonly config: TealConfig;
  readonly sources: SourceState;
}

/** The thread's only message. */
export type ConfigAnswer = LoadedConfig | { readonly error: SentError };

/** A file on a disk that hangs. */
const LONGEST_MS: Milliseconds = 30_000;

/**
 * Loads teal.yaml in a thread of its own, which then ends: a file with thousands of services takes seconds, and a server has
 * to take an abort meanwhile. Its memory goes with the thread.
 * @param program config-worker.ts, or the bundle of it
 * @throws as `loadConfig`; `deadline-passed` when the disk does not answer
 */
export async function loadInThread(program: URL, question: ConfigQuestion): Promise<LoadedConfig> {
  const worker = new Worker(program, { workerData: question, name: "teal-config" });
  const ended = new AbortController();
  // Its end may follow in the same turn of the event loop, before anybody has heard of the failure that it comes from.
  worker.once("error", (failure) => {
    ended.abort(failure);
  });
  worker.once("exit", () => {
    ended.abort(new TealError("internal", `the thread that reads ${question.file} ended without an answer`));
  });
  const late = setTimeout(() => {
    const message = `${question.file} was not read within ${String(LONGEST_MS / 1_000)} s`;
    ended.abort(new TealError("deadline-passed", message));
  }, LONGEST_MS);
  try {
    const [answer] = (await once(worker, "message", { signal: ended.signal })) as [ConfigAnswer];
    if ("error" in answer) throw receiveError(answer.error);
    return { config: canonical(answer.config), sources: answer.sources };
  } catch (thrown) {
    throw ended.signal.aborted ? ended.signal.reason : thrown;
  } finally {
    clearTimeout(late);
    await worker.terminate();
  }
}
