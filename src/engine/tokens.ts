import { createHash, timingSafeEqual } from "node:crypto";
import { type Report, TealError } from "../model/error.ts";
import { isUsable, type Role, type Token } from "../model/token.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import type { Store, StoredToken } from "../store/store.ts";
import type { Asker } from "./control.ts";
import type { Journal } from "./journal.ts";

export interface TokenRequest extends Omit<Asker, "idempotencyKey"> {
  readonly name: string;
  readonly role: Role;
  /** Null: all. */
  readonly services: readonly string[] | null;
  /** Null: it does not expire. */
  readonly lastsMs: Milliseconds | null;
}

export interface TokenParts {
  readonly store: Store;
  readonly journal: Journal;
  readonly clock: Clock;
  /** Unpredictable bytes, so many. */
  readonly random: (bytes: number) => Buffer;
  /** For the log. */
  readonly report: Report;
}

/** `teal_` for those who look for secrets that got out, an id to find it by, and 256 random bits. */
const FORM = /^teal_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;
/** The time of the last use is written this often at most: a write for each call would wear the disk. */
const USED_EVERY_MS = 60_000;
const NOTHING = Buffer.alloc(32);

interface Known {
  token: StoredToken;
  readonly ended: AbortController;
}

/**
 * The keys to the API over TCP. All are in memory, so that a call costs no look into the store, and an abort needs no disk;
 * this process is the store's only user.
 */
export class Tokens {
  readonly #parts: TokenParts;
  readonly #known: Map<string, Known>;
  /** Told when tokens came, went or expired. */
  changed: () => void = () => undefined;

  private constructor(parts: TokenParts, stored: readonly StoredToken[]) {
    this.#parts = parts;
    this.#known = new Map(stored.map((token) => [token.id, { token, ended: new AbortController() }]));
  }

  static async open(parts: TokenParts): Promise<Tokens> {
    return new Tokens(parts, await parts.store.tokens());
  }

  /** Oldest first, expired ones too. */
  list(): readonly Token[] {
    return [...this.#known.values()].map(({ token }) => token);
  }

  /** Whether anybody could come in. */
  get usable(): boolean {
    const now = this.#parts.clock.now();
    return this.list().some((token) => isUsable(token, now));
  }

  /** The secret is nowhere but in the answer. @throws `token-exists` */
  async create(request: TokenRequest): Promise<{ readonly token: Token; readonly secret: string }> {
    const { clock, store, journal, random } = this.#parts;
    const { name, role, services, by, reason, lastsMs } = request;
    const id = random(8).toString("hex");
    const secret = `teal_${id}_${random(32).toString("base64url")}`;
    const createdAt = clock.now();
    const expiresAt = lastsMs === null ? null : createdAt + lastsMs;
    const about = { id, name, role, services, expiresAt };
    const token = { ...about, hash: digest(secret).toString("hex"), createdBy: by, createdAt, usedAt: null };
    journal.told(await store.addToken(token, [journal.event("token-created", { ...about, by, reason })]));
    this.#known.set(id, { token, ended: new AbortController() });
    this.changed();
    return { token, secret };
  }

  /** By id or name; its calls under way end. @throws `token-unknown` */
  async revoke(named: string, { by, reason }: Pick<Asker, "by" | "reason">): Promise<Token> {
    const { store, journal } = this.#parts;
    const known = this.#known.get(named) ?? [...this.#known.values()].find(({ token }) => token.name === named);
    if (known === undefined) throw new TealError("token-unknown", `there is no token ${named}`);
    const { id, name } = known.token;
    journal.told(await store.removeToken(id, [journal.event("token-revoked", { id, name, by, reason })]));
    this.#known.delete(id);
    known.ended.abort(new TealError("unauthorized", `the token ${name} was revoked`));
    this.changed();
    return known.token;
  }

  /** Whose secret this is, and a signal that aborts when it opens nothing any more; null for any other text. */
  authenticate(secret: string): { readonly token: Token; readonly ended: AbortSignal } | null {
    const [, id = ""] = FORM.exec(secret) ?? [];
    const known = this.#known.get(id);
    // Compared in constant time, also where there is nothing to compare it with.
    const same = timingSafeEqual(digest(secret), known === undefined ? NOTHING : Buffer.from(known.token.hash, "hex"));
    const now = this.#parts.clock.now();
    if (known === undefined || !same || !isUsable(known.token, now)) return null;
    this.#used(known, now);
    return { token: known.token, ended: known.ended.signal };
  }

  /** Ends the calls of those that have expired, and tells of it. */
  sweep(): void {
    const now = this.#parts.clock.now();
    for (const { token, ended } of this.#known.values()) {
      if (!isUsable(token, now)) ended.abort(new TealError("unauthorized", `the token ${token.name} has expired`));
    }
    this.changed();
  }

  #used(known: Known, now: number): void {
    const { id, name, usedAt } = known.token;
    if (usedAt !== null && now - usedAt < USED_EVERY_MS) return;
    known.token = { ...known.token, usedAt: now };
    this.#parts.store.markTokenUsed(id, now).catch((cause: unknown) => {
      const problem = new TealError("store-failed", `the use of token ${name} was not recorded`, { cause });
      this.#parts.report(problem, { token: id });
    });
  }
}

/** 256 random bits need no slow hash: nobody can try them all. */
function digest(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
