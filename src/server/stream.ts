import { once } from "node:events";
import type { FastifyReply } from "fastify";
import type { Milliseconds } from "../model/time.ts";

export interface StreamForm<T> {
  readonly contentType: string;
  readonly encode: (item: T) => string;
  /** Sent at once, so that the client knows that the stream stands. */
  readonly opening: string;
  readonly heartbeat: string;
  readonly heartbeatMs: Milliseconds;
  /** An error within this time is still answered as a problem; after it the stream has begun. */
  readonly firstWithinMs: Milliseconds;
}

/**
 * Answers with items as they come, never ahead of what the client takes. Ends with the source, or when `signal` aborts.
 * @throws what the source throws before the stream has begun; later failures break the stream off and go to `onFailure`
 */
export async function sendStream<T>(
  reply: FastifyReply,
  source: AsyncIterable<T>,
  form: StreamForm<T>,
  signal: AbortSignal,
  onFailure: (thrown: unknown) => void,
): Promise<void> {
  const iterator = source[Symbol.asyncIterator]();
  const first = iterator.next();
  await settledWithin(first, form.firstWithinMs);
  reply.hijack();
  const out = reply.raw;
  out.writeHead(200, { "content-type": form.contentType, "cache-control": "no-store", "x-accel-buffering": "no" });
  out.flushHeaders();
  if (form.opening !== "") out.write(form.opening);
  // Those that matter are met below; an "error" without a listener would end the process.
  out.on("error", onFailure);
  const heartbeat = setInterval(() => {
    if (!out.writableNeedDrain) out.write(form.heartbeat);
  }, form.heartbeatMs);
  const aborted = rejectionOf(signal);
  try {
    for (
      let item = await Promise.race([first, aborted]);
      item.done !== true;
      item = await Promise.race([iterator.next(), aborted])
    ) {
      if (!out.write(form.encode(item.value))) await once(out, "drain", { signal });
    }
    out.end();
  } catch (thrown) {
    if (signal.aborted) out.end();
    else {
      // Cut off within the body, so that nobody takes what came for all there is.
      out.destroy();
      onFailure(thrown);
    }
  } finally {
    clearInterval(heartbeat);
    // Not awaited: a source that still waits for its next item ends by its signal.
    iterator.return?.().catch(onFailure);
  }
}

/** Returns when `promise` is settled or the time is over; throws when it was rejected within it. */
async function settledWithin(promise: Promise<unknown>, ms: Milliseconds): Promise<void> {
  const over = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => {
    over.resolve(undefined);
  }, ms);
  try {
    await Promise.race([promise, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Rejects when the signal aborts; never an unhandled rejection. */
function rejectionOf(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const onAbort = (): void => {
    reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return promise;
}
