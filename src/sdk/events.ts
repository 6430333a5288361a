import type { IncomingMessage } from "node:http";
import { createParser } from "eventsource-parser";
import { event as eventSchema, type EventAnswer } from "../api/answers.ts";
import { CATALOGUE } from "../model/catalogue.ts";
import { TealError, toTealError } from "../model/error.ts";
import type { Clock } from "../model/time.ts";
import { deadline } from "./deadline.ts";
import type { EventsOptions } from "./options.ts";
import { parseJson } from "./shape.ts";

/** A connection that is silent for this long is taken for dead and made anew: the server sends a comment every 15 s. */
const SILENCE_MS = 45_000;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 1_000;

interface Follow extends EventsOptions {
  readonly open: (after: number | undefined, signal: AbortSignal) => Promise<IncomingMessage>;
  readonly clock: Clock;
  /** Where the server is, for messages. */
  readonly name: string;
}

/** The events of one connection after another, each event once: `seq` tells where to go on. */
export async function* followEvents(follow: Follow): AsyncGenerator<EventAnswer, void, undefined> {
  const { clock, signal, patienceMs = 60_000 } = follow;
  let after = follow.after;
  let lastAlive = clock.monotonic();
  let everOpened = false;
  let retryMs = FIRST_RETRY_MS;
  for (;;) {
    try {
      for await (const message of connection(follow, after)) {
        lastAlive = clock.monotonic();
        everOpened = true;
        retryMs = FIRST_RETRY_MS;
        if (message === "open" || (after !== undefined && message.seq <= after)) continue;
        after = message.seq;
        yield message;
      }
      if (!follow.follow) return;
    } catch (thrown) {
      const error = toTealError(thrown);
      if (signal?.aborted === true) throw signal.reason;
      if (!everOpened || !follow.follow || !CATALOGUE[error.code].retryable) throw error;
      if (clock.monotonic() - lastAlive > patienceMs) throw error;
      follow.onLost?.(error);
    }
    await clock.sleep(retryMs, signal);
    retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
  }
}

/** One connection: "open" when it stands, then its events. Ends when the server ends it. */
async function* connection(
  follow: Follow,
  after: number | undefined,
): AsyncGenerator<EventAnswer | "open", void, undefined> {
  const ended = new AbortController();
  const outer = follow.signal === undefined ? ended.signal : AbortSignal.any([follow.signal, ended.signal]);
  using silence = deadline(SILENCE_MS, `waiting for a sign of life of ${follow.name}`, outer);
  try {
    const response = await follow.open(after, silence.signal);
    follow.onOpen?.();
    yield "open";
    const arrived: EventAnswer[] = [];
    const parser = createParser({
      onEvent: ({ data }) => {
        const read = eventSchema.safeParse(parseJson(data));
        // A newer server may have kinds of events that this build does not know.
        if (read.success) arrived.push(read.data);
      },
    });
    response.setEncoding("utf8");
    for await (const chunk of response) {
      silence.extend();
      parser.feed(String(chunk));
      yield* arrived.splice(0);
    }
  } catch (thrown) {
    throw lost(thrown, silence.signal, follow.name);
  } finally {
    ended.abort();
  }
}

function lost(thrown: unknown, signal: AbortSignal, name: string): unknown {
  if (thrown instanceof TealError) return thrown;
  if (signal.aborted) return signal.reason;
  return new TealError("server-down", `the event stream of ${name} broke off`, { cause: thrown });
}
