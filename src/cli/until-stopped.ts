import { TealError } from "../model/error.ts";
import type { Call } from "./call.ts";

/** Runs a stream until it ends or a person stops it; both are exit 0. */
export async function untilStopped(call: Call, stream: (signal: AbortSignal) => Promise<void>): Promise<number> {
  const stop = new AbortController();
  const release = call.io.onStop((signal) => {
    stop.abort(new TealError("aborted", `${signal} came`));
  });
  try {
    await stream(stop.signal);
  } catch (thrown) {
    if (!stop.signal.aborted) throw thrown;
  } finally {
    release();
  }
  return 0;
}

/** Runs something that a person may stop before it is done; stopping it is exit 4. */
export async function stoppable<T>(call: Call, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const release = call.io.onStop((signal) => {
    stop.abort(new TealError("aborted", `${signal} came`, { remedy: "Run the command again when ready." }));
  });
  try {
    return await act(stop.signal);
  } finally {
    release();
  }
}
