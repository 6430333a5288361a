import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { z } from "zod";
import { TealError } from "../../model/error.ts";
import type { Milliseconds } from "../../model/time.ts";
import { isDiskFull, storeFailure } from "./failure.ts";
import { migrate } from "./migrate.ts";
import { ensurePrivateFile } from "./private-file.ts";

const BUSY_MS: Milliseconds = 5_000;

export interface DatabaseOptions {
  /** Of a file that another connection has open, and has brought up to date. */
  readonly readOnly?: boolean;
  /** How long it waits for another connection's lock; 5 s unless told. */
  readonly busyMs?: Milliseconds;
  /** Frees room on a full disk; true when trying the same write again may succeed. */
  readonly relieve?: () => boolean;
  /** Called after each commit. */
  readonly written?: () => void;
}

/** One of several calls that {@link Database.together} takes. */
export interface StoreTask {
  /** May be run twice: what the first time wrote is then taken back. */
  readonly run: () => unknown;
  /** Told once, when what `run` wrote is durable, or it has failed. */
  readonly settle: (outcome: Outcome) => void;
}

export type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** One SQLite file: cached statements, checked rows, one transaction at a time. Everything throws `store-failed`. */
export class Database {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #relieve: () => boolean;
  readonly #written: () => void;
  #isTogether = false;

  /**
   * Opens, and brings the schema up to date, unless it is to be read only.
   * @throws `store-failed`; `protocol-mismatch` when a newer version of Teal has written it
   */
  constructor(file: string, options: DatabaseOptions = {}) {
    this.#relieve = options.relieve ?? (() => false);
    this.#written = options.written ?? (() => undefined);
    let database: DatabaseSync | null = null;
    try {
      const readOnly = options.readOnly === true;
      if (file !== ":memory:" && !readOnly) ensurePrivateFile(file);
      database = new DatabaseSync(file, {
        timeout: options.busyMs ?? BUSY_MS,
        enableForeignKeyConstraints: true,
        readOnly,
      });
      this.#database = database;
      if (readOnly) return;
      // FULL makes every commit durable (sqlite.org/pragma.html#pragma_synchronous); the WAL is cut back after a burst.
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304");
      migrate(database);
    } catch (thrown) {
      if (database?.isOpen === true) database.close();
      throw storeFailure(`${file} cannot be opened`, thrown);
    }
  }

  /** Every row, decoded by its shape. */
  all<T>(shape: z.ZodType<T>, sql: string, ...values: SQLInputValue[]): T[] {
    const rows = this.#attempt("reading", () => this.#prepare(sql).all(...values));
    return rows.map((row) => decode(shape, row, sql));
  }

  /** The first row, or null. */
  first<T>(shape: z.ZodType<T>, sql: string, ...values: SQLInputValue[]): T | null {
    const row = this.#attempt("reading", () => this.#prepare(sql).get(...values));
    return row === undefined ? null : decode(shape, row, sql);
  }

  /** Number of rows changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return this.#attempt("writing", () => Number(this.#prepare(sql).run(...values).changes));
  }

  /** All of `body` or nothing of it. On a full disk it is tried once more after relief, so `body` must be repeatable. */
  transaction<T>(body: () => T): T {
    if (this.#isTogether) return this.#part(body);
    const result = this.#withRelief(body);
    this.#written();
    return result;
  }

  /** All reads of `body` see the same commits, also while another connection writes. */
  snapshot<T>(body: () => T): T {
    if (this.#isTogether || this.#database.isTransaction) return body();
    this.#execute("BEGIN");
    try {
      return body();
    } finally {
      if (this.#database.isTransaction) this.#execute("ROLLBACK");
    }
  }

  /**
   * Runs the tasks in their order and commits what they wrote at once: one sync of the disk, which is what a write waits
   * for, instead of one each. A task that throws takes back its own part alone. When they cannot be committed together,
   * each is run again by itself. None may close the database.
   */
  together(tasks: readonly StoreTask[]): void {
    const held: { readonly task: StoreTask; readonly outcome: Outcome }[] = [];
    let isSound = true;
    this.#isTogether = true;
    for (const [index, task] of tasks.entries()) {
      const outcome = outcomeOf(task);
      const isRead = held.length === 0 && !this.#database.isTransaction;
      if (isRead && !isFull(outcome)) {
        task.settle(outcome);
        continue;
      }
      held.push({ task, outcome });
      // SQLite itself takes the whole transaction back after some errors.
      isSound = this.#database.isTransaction && !isFull(outcome);
      if (isSound) continue;
      for (const left of tasks.slice(index + 1)) held.push({ task: left, outcome });
      break;
    }
    this.#isTogether = false;
    if (held.length > 0) this.#settle(held, isSound && this.#commits());
  }

  #settle(held: readonly { readonly task: StoreTask; readonly outcome: Outcome }[], committed: boolean): void {
    if (committed) this.#written();
    else if (this.#database.isTransaction) this.#execute("ROLLBACK");
    for (const { task, outcome } of held) task.settle(committed ? outcome : outcomeOf(task));
  }

  #commits(): boolean {
    try {
      this.#execute("COMMIT");
      return true;
    } catch {
      // Each of them finds out by itself, and tells.
      return false;
    }
  }

  close(): void {
    this.#statements.clear();
    this.#attempt("closing", () => {
      this.#database.close();
    });
  }

  #withRelief<T>(body: () => T): T {
    try {
      return this.#once(body);
    } catch (thrown) {
      if (!isDiskFull(thrown) || !this.#relieve()) throw thrown;
      return this.#once(body);
    }
  }

  #once<T>(body: () => T): T {
    this.#execute("BEGIN IMMEDIATE");
    try {
      const result = body();
      this.#execute("COMMIT");
      return result;
    } catch (thrown) {
      // SQLite itself rolls back after some errors (a full disk, an I/O error): sqlite.org/lang_transaction.html.
      if (this.#database.isTransaction) this.#execute("ROLLBACK");
      throw thrown;
    }
  }

  /** All of `body` or nothing of it, within the transaction of all tasks. */
  #part<T>(body: () => T): T {
    if (!this.#database.isTransaction) this.#execute("BEGIN IMMEDIATE");
    this.#execute("SAVEPOINT part");
    try {
      const result = body();
      this.#execute("RELEASE part");
      return result;
    } catch (thrown) {
      if (this.#database.isTransaction) this.#execute("ROLLBACK TO part; RELEASE part");
      throw thrown;
    }
  }

  #execute(sql: string): void {
    this.#attempt(sql, () => {
      this.#database.exec(sql);
    });
  }

  #prepare(sql: string): StatementSync {
    const cached = this.#statements.get(sql);
    if (cached !== undefined) return cached;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #attempt<T>(what: string, act: () => T): T {
    try {
      return act();
    } catch (thrown) {
      throw storeFailure(`${what} the store failed`, thrown);
    }
  }
}

function outcomeOf({ run }: StoreTask): Outcome {
  try {
    return { value: run() };
  } catch (error) {
    return { error };
  }
}

function isFull(outcome: Outcome): boolean {
  return "error" in outcome && isDiskFull(outcome.error);
}

function decode<T>(shape: z.ZodType<T>, row: unknown, sql: string): T {
  const result = shape.safeParse(row);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue === undefined ? "" : ` (${issue.path.join(".")}: ${issue.message})`;
  const table = /\b(?:FROM|INTO|UPDATE) (\w+)/i.exec(sql)?.[1] ?? "the store";
  throw new TealError("store-failed", `a row of ${table} is not what Teal writes${where}`, { cause: result.error });
}
