import type { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { chainedRow } from "./begin-chain.ts";
import { digestOfGaps, type Gap, genesis, linkOf } from "./event-chain.ts";

/** The newest event, or one that was: what somebody may note elsewhere, and compare later. The hash in hexadecimal. */
export interface EventHead {
  readonly seq: number;
  readonly hash: string;
}

export interface VerifiedEvents {
  /** As the store keeps it; null: somebody has taken it away. */
  readonly head: EventHead | null;
  /** Events that were looked at. */
  readonly count: number;
  /** Numbers whose events were removed with age. */
  readonly pruned: number;
  /** Events up to this number were there before the chain was. */
  readonly beganAfter: number;
  /** The first that does not fit; null: all do. */
  readonly fault: string | null;
  /** What became of the head that was noted: `removed` with age; null: none was given, or there was a fault before it. */
  readonly noted: "same" | "other" | "removed" | null;
}

/** Rows between two looks at the signal, some 10 ms of work. */
const PAGE = 1_000;

/**
 * Follows the chain of all events as of one moment, beside whoever writes; changes nothing.
 * @throws the signal's reason
 */
export async function verifyEvents(
  database: DatabaseSync,
  signal: AbortSignal,
  noted: EventHead | null = null,
): Promise<VerifiedEvents> {
  // All pages see the same commits.
  database.exec("SAVEPOINT verify");
  try {
    const walk = new Walk(database, noted);
    while (walk.goOn()) {
      await setImmediate();
      signal.throwIfAborted();
    }
    return walk.result();
  } finally {
    // Some errors have SQLite end it by itself.
    if (database.isTransaction) database.exec("ROLLBACK TO verify; RELEASE verify");
  }
}

class Walk {
  readonly #page;
  readonly #head: { readonly seq: number; readonly hash: Buffer } | null;
  readonly #beganAfter: number;
  readonly #given: number;
  readonly #gaps: readonly Gap[];
  readonly #noted: EventHead | null;
  #nextGap = 0;
  #seq = 0;
  #hash: Buffer;
  #count = 0;
  #pruned = 0;
  /** Of the gaps, as the newest pruning has written it down. */
  #digest: unknown = null;
  #fault: string | null = null;
  #asNoted: VerifiedEvents["noted"] = null;

  constructor(database: DatabaseSync, noted: EventHead | null) {
    this.#noted = noted;
    const head = database.prepare("SELECT seq, hash, began_after FROM event_head").get();
    this.#head = head === undefined ? null : { seq: Number(head["seq"]), hash: bytes(head["hash"]) };
    if (this.#head === null) this.#fault = "the head of the chain is missing";
    this.#beganAfter = Number(head?.["began_after"] ?? 0);
    this.#given = Number(database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'events'").get()?.["seq"] ?? 0);
    this.#gaps = database
      .prepare("SELECT last, before, after FROM event_gaps ORDER BY last")
      .all()
      .map((row) => ({ last: Number(row["last"]), before: bytes(row["before"]), after: bytes(row["after"]) }));
    this.#hash = genesis(this.#beganAfter);
    this.#page = database.prepare(
      "SELECT seq, at, service, deployment, type, step, data, hash FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
    );
  }

  /** One page; whether there is more to look at. */
  goOn(): boolean {
    // Teal numbers from 1 on: the first page has whatever was put in before.
    const rows = this.#page.all(this.#count === 0 ? Number.MIN_SAFE_INTEGER : this.#seq, PAGE);
    for (const row of rows) {
      this.#fault ??= this.#gapsBefore(Number(row["seq"])) ?? this.#event(row);
      if (this.#fault !== null) return false;
    }
    if (rows.length === PAGE) return true;
    this.#fault ??= this.#gapsBefore(Number.MAX_SAFE_INTEGER) ?? this.#end();
    return false;
  }

  result(): VerifiedEvents {
    const head = this.#head;
    return {
      head: head === null ? null : { seq: head.seq, hash: head.hash.toString("hex") },
      count: this.#count,
      pruned: this.#pruned,
      beganAfter: this.#beganAfter,
      fault: this.#fault,
      noted: this.#asNoted,
    };
  }

  #event(row: Readonly<Record<string, unknown>>): string | null {
    const event = chainedRow(row);
    const { seq, type } = event;
    if (seq <= this.#seq) return `event ${String(seq)} was put in: Teal never gives that number`;
    if (seq > this.#seq + 1) return missing(this.#seq + 1, seq - 1);
    if (!linkOf(this.#hash, event).equals(bytes(row["hash"])))
      return `event ${String(seq)} does not follow from the one before: it was changed or put in, or that one was, with its hash`;
    if (type === "events-pruned") this.#digest = gapsOf(event.data);
    this.#count += 1;
    this.#pass(seq, bytes(row["hash"]));
    return null;
  }

  #gapsBefore(seq: number): string | null {
    for (let gap = this.#gaps[this.#nextGap]; gap !== undefined && gap.last < seq; gap = this.#gaps[this.#nextGap]) {
      const { last, before, after } = gap;
      if (last <= this.#seq || !this.#hash.equals(before))
        return `the record of what was removed with age, up to event ${String(last)}, does not follow from event ${String(this.#seq)}`;
      this.#nextGap += 1;
      this.#pruned += last - this.#seq;
      const noted = this.#noted?.seq ?? 0;
      if (noted > this.#seq && noted < last) this.#asNoted = "removed";
      this.#pass(last, bytes(after));
    }
    return null;
  }

  #pass(seq: number, hash: Buffer): void {
    [this.#seq, this.#hash] = [seq, hash];
    if (this.#noted?.seq === seq) this.#asNoted = hash.toString("hex").startsWith(this.#noted.hash) ? "same" : "other";
  }

  #end(): string | null {
    const [head, last] = [this.#head, this.#seq];
    if (head === null) return null;
    if (head.seq > last) return missing(last + 1, head.seq);
    if (head.seq < last || !head.hash.equals(this.#hash))
      return `the head of the chain is not event ${String(last)}, the newest`;
    if (this.#given !== last)
      return `the last number given is ${String(this.#given)}, and the newest event is ${String(last)}`;
    return this.#areGapsBound() ? null : "events were removed, and no pruning of Teal's is on record that did it";
  }

  /** Before the first pruning there are only gaps that the chain goes across: of before it began. */
  #areGapsBound(): boolean {
    if (this.#digest !== null) return this.#digest === digestOfGaps(this.#gaps);
    return this.#gaps.every(({ before, after }) => bytes(before).equals(bytes(after)));
  }
}

function missing(from: number, to: number): string {
  return from === to ? `event ${String(from)} is missing` : `events ${String(from)} to ${String(to)} are missing`;
}

/** Not of a row that is chained and yet no JSON: then Teal has not written it. */
function gapsOf(data: string): unknown {
  try {
    const parsed: unknown = JSON.parse(data);
    return typeof parsed === "object" && parsed !== null && "gaps" in parsed ? parsed.gaps : "";
  } catch {
    return "";
  }
}

function bytes(value: unknown): Buffer {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : Buffer.alloc(0);
}
