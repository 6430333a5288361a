import { TealError } from "../model/error.ts";
import type { Clock } from "../model/time.ts";
import { type ReadinessTarget, type Readiness, untilReady } from "./readiness.ts";
import type { Exit, WatchedProcess } from "./watched-process.ts";

/** Why the watch over a process is over. */
export type End =
  | { readonly kind: "exited"; readonly exit: Exit }
  | { readonly kind: "stopped" }
  | Exclude<Readiness, { kind: "ready" }>;

export interface Watch {
  /** What is probed until it is ready; null: it has been ready before, and the data plane watches its health by now. */
  readonly target: ReadinessTarget | null;
  readonly clock: Clock;
  /** Aborts when the process is to be stopped. */
  readonly stop: AbortSignal;
  /** Takes the reason why it is not ready yet, at each look. */
  readonly onReason: (reason: string) => void;
  readonly onReady: () => void;
}

/** Until the process has exited, is to stop, or a stranger answers on its port before it was ready. */
export async function watchProcess(process: WatchedProcess, watch: Watch): Promise<End> {
  const over = new AbortController();
  const stopped = Promise.withResolvers<End>();
  const onStop = (): void => stopped.resolve({ kind: "stopped" });
  watch.stop.addEventListener("abort", onStop, { once: true });
  if (watch.stop.aborted) onStop();
  try {
    const end = Promise.race([process.exited.then((exit): End => ({ kind: "exited", exit })), stopped.promise]);
    if (watch.target === null) return await end;
    const first = await Promise.race([end, untilReady(watch.target, watch.clock, watch.onReason, over.signal)]);
    if (first.kind !== "ready") return first;
    watch.onReady();
    return await end;
  } finally {
    over.abort(new TealError("aborted", "the process is not watched any more"));
    watch.stop.removeEventListener("abort", onStop);
  }
}
