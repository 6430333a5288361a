import type { EpochMilliseconds, Milliseconds } from "../../model/time.ts";
import { add } from "../cells.ts";
import { DOOR } from "../door-cells.ts";
import { AccessEntry, type AccessSink } from "../http/access-entry.ts";

/** A line is with the main thread after so long at the latest. */
const FLUSH_MS: Milliseconds = 200;
const BATCH_CHARACTERS = 65_536;
/** Beyond, lines are dropped: the disk does not take what comes. */
const MOST_CHARACTERS = 1_048_576;
/** Batches that the main thread has not answered yet. */
const MOST_UNANSWERED = 4;

interface AccessBatchOptions {
  /** This worker's row of DOOR. */
  readonly row: Float64Array;
  /** Monotonic milliseconds. */
  readonly now: () => Milliseconds;
  readonly wallNow: () => EpochMilliseconds;
  readonly send: (text: string, lines: number) => void;
}

/** One worker's lines of the access log on their way to the main thread, which alone writes; bounded, and never waited for. */
export class AccessBatch implements AccessSink {
  readonly #options: AccessBatchOptions;
  #text = "";
  #lines = 0;
  #unanswered = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: AccessBatchOptions) {
    this.#options = options;
  }

  begin(): AccessEntry {
    return new AccessEntry(this.#options.wallNow(), this.#options.now());
  }

  end(entry: AccessEntry): void {
    if (this.#text.length >= MOST_CHARACTERS) {
      add(this.#options.row, DOOR.dropped);
      return;
    }
    this.#text += lineOf(entry, this.#options.now());
    this.#lines += 1;
    if (this.#text.length >= BATCH_CHARACTERS) this.flush();
    else
      this.#timer ??= setTimeout(() => {
        this.flush();
      }, FLUSH_MS);
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#lines === 0 || this.#unanswered >= MOST_UNANSWERED) return;
    this.#unanswered += 1;
    this.#options.send(this.#text, this.#lines);
    this.#text = "";
    this.#lines = 0;
  }

  /** The main thread is done with a batch, and is ready for another. */
  answered(lines: number, isWritten: boolean): void {
    this.#unanswered -= 1;
    add(this.#options.row, isWritten ? DOOR.logged : DOOR.dropped, lines);
    if (this.#lines > 0) this.flush();
  }
}

function lineOf(entry: AccessEntry, now: Milliseconds): string {
  const { at, since, waitMs, responseMs, isRescued, isHeld, isAborted } = entry;
  const { service, environment, instance, release, client, method, host, path } = entry;
  const { bytesIn, bytesOut, requestId, retries, tealError } = entry;
  const line = {
    time: new Date(at).toISOString(),
    service,
    environment,
    instance,
    release,
    client,
    method,
    host,
    path,
    // As nginx has it: the client closed the request.
    status: entry.status ?? 499,
    bytesIn,
    bytesOut,
    durationMs: rounded(now - since),
    waitMs: waitMs === null ? null : rounded(waitMs),
    responseMs: responseMs === null ? null : rounded(responseMs),
    requestId,
    retries,
    rescued: isRescued,
    held: isHeld,
    tealError,
    aborted: isAborted,
  };
  return `${JSON.stringify(line)}\n`;
}

/** To a hundredth of a millisecond. */
function rounded(ms: Milliseconds): Milliseconds {
  return Math.round(ms * 100) / 100;
}
