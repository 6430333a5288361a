import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import { LOST_REASONS, type LostReason, type Outcome } from "./outcome.ts";
import type { RequestWish } from "./wish.ts";

/** What one version of the app answered. Times are milliseconds since the Unix epoch. */
export interface VersionTally {
  readonly ok: number;
  readonly failed: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly firstFailedAt: number | null;
}

/** What became of one kind of request. */
export interface KindTally {
  readonly sent: number;
  readonly ok: number;
  readonly failed: number;
  readonly lost: number;
}

/** What the ledger has to know of a request. An order (a request with a body) is looked for in the app's ledger, too. */
export type LedgerEntry = Pick<RequestWish, "id" | "kind" | "method" | "body">;

export interface Summary {
  /** Requests that were begun. */
  readonly sent: number;
  readonly ok: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly lost: number;
  readonly lostBy: Readonly<Record<LostReason, number>>;
  readonly idleRaces: number;
  /** Not begun, as the generator was at its own limits: the rate was not reached. */
  readonly skipped: number;
  readonly cancelled: number;
  readonly versions: Readonly<Record<string, VersionTally>>;
  readonly byKind: Readonly<Record<string, KindTally>>;
  /** Of right answers, from the time that the request was due. */
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** The first of the lost, to look into. */
  readonly examples: readonly LostExample[];
}

export interface LostExample {
  readonly id: string;
  readonly kind: string;
  /** Of the request; null where only the app's ledger tells of it. */
  readonly method: RequestWish["method"] | null;
  /** When it was due, and when it was found to be lost: milliseconds since the Unix epoch. */
  readonly beganAt: number;
  readonly at: number;
  /** Number of its client's connection; null where that is not known. */
  readonly connection: number | null;
  readonly reason: LostReason;
  readonly detail: string;
}

const MOST_EXAMPLES = 20;
/** More than that are no accident any more; all are counted. */
const MOST_LOSSES = 10_000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The client's book: what became of every request, compared at the end with the app's own. */
export class Ledger {
  #sent = 0;
  #ok = 0;
  #idleRaces = 0;
  #skipped = 0;
  #cancelled = 0;
  readonly #lost = new Map<LostReason, number>();
  readonly #versions = new Map<string, Mutable<VersionTally>>();
  readonly #kinds = new Map<string, Mutable<KindTally>>();
  /** Of every order: whether its taking was confirmed, or it is already counted as lost. */
  readonly #orders = new Map<string, { readonly kind: string; readonly state: "confirmed" | "lost" | "unknown" }>();
  readonly #losses: LostExample[] = [];
  readonly #latency: RecordableHistogram = createHistogram({ lowest: 1, highest: 600_000_000, figures: 3 });

  /** Each loss with its time and connection, the first {@link MOST_LOSSES}. */
  get losses(): readonly LostExample[] {
    return this.#losses;
  }

  record(wish: LedgerEntry, outcome: Outcome, latencyMs: number, connection: number | null = null): void {
    if (outcome.kind === "skipped") {
      this.#skipped += 1;
      return;
    }
    this.#sent += 1;
    const kind = this.#kind(wish.kind);
    kind.sent += 1;
    if (wish.body !== null) {
      const state = outcome.kind === "ok" ? "confirmed" : outcome.kind === "lost" ? "lost" : "unknown";
      this.#orders.set(wish.id, { kind: wish.kind, state });
    }
    switch (outcome.kind) {
      case "ok":
        this.#ok += 1;
        kind.ok += 1;
        this.#latency.record(Math.max(1, Math.round(latencyMs * 1_000)));
        this.#tally(outcome.version, false);
        break;
      case "failed":
        kind.failed += 1;
        this.#tally(outcome.version, true);
        break;
      case "lost":
        this.#lose({ ...wish, connection, beganAt: Date.now() - latencyMs }, outcome.reason, outcome.detail);
        break;
      case "idle-race":
        this.#idleRaces += 1;
        break;
      case "cancelled":
        this.#cancelled += 1;
        break;
      default:
        outcome satisfies never;
    }
  }

  /**
   * Compares with the app's ledger, which may hold more (smoke tests, other clients): what it took twice is duplicated,
   * what it confirmed and does not have has vanished. To be called once, when all requests have ended.
   */
  reconcile(app: ReadonlyMap<string, number>): void {
    for (const [id, { kind, state }] of this.#orders) {
      const times = app.get(id) ?? 0;
      if (state === "lost") continue;
      const order = { id, kind, method: null, connection: null, beganAt: Date.now() };
      if (times > 1) this.#lose(order, "duplicated", `${String(times)} times in the app's ledger`);
      if (times === 0 && state === "confirmed") this.#lose(order, "vanished", "confirmed, but not in the app's ledger");
    }
  }

  summary(): Summary {
    const count = (reason: LostReason): number => this.#lost.get(reason) ?? 0;
    const versions = [...this.#versions].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const quantile = (percent: number): number => (this.#ok === 0 ? 0 : this.#latency.percentile(percent) / 1_000);
    return {
      sent: this.#sent,
      ok: this.#ok,
      failed: Object.fromEntries(versions.flatMap(([name, { failed }]) => (failed > 0 ? [[name, failed]] : []))),
      lost: LOST_REASONS.reduce((sum, reason) => sum + count(reason), 0),
      lostBy: Object.fromEntries(LOST_REASONS.map((reason) => [reason, count(reason)])) as Record<LostReason, number>,
      idleRaces: this.#idleRaces,
      skipped: this.#skipped,
      cancelled: this.#cancelled,
      versions: Object.fromEntries(versions.map(([name, tally]) => [name, { ...tally }])),
      byKind: Object.fromEntries([...this.#kinds].map(([name, tally]) => [name, { ...tally }])),
      latencyMs: { p50: quantile(50), p99: quantile(99), max: quantile(100) },
      examples: this.#losses.slice(0, MOST_EXAMPLES),
    };
  }

  #lose(
    { id, kind, method, connection, beganAt }: Omit<LostExample, "at" | "reason" | "detail">,
    reason: LostReason,
    detail: string,
  ): void {
    this.#kind(kind).lost += 1;
    this.#lost.set(reason, (this.#lost.get(reason) ?? 0) + 1);
    if (this.#losses.length < MOST_LOSSES)
      this.#losses.push({ id, kind, method, connection, beganAt, at: Date.now(), reason, detail });
  }

  #kind(name: string): Mutable<KindTally> {
    const tally = this.#kinds.get(name) ?? { sent: 0, ok: 0, failed: 0, lost: 0 };
    this.#kinds.set(name, tally);
    return tally;
  }

  #tally(version: string, failed: boolean): void {
    const at = Date.now();
    const tally = this.#versions.get(version) ?? { ok: 0, failed: 0, firstAt: at, lastAt: at, firstFailedAt: null };
    this.#versions.set(version, tally);
    tally.lastAt = at;
    if (!failed) {
      tally.ok += 1;
      return;
    }
    tally.failed += 1;
    tally.firstFailedAt ??= at;
  }
}
