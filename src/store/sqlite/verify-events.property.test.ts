import { join } from "node:path";
import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { NOW, sampleAcceptance, sampleEvent } from "../samples.ts";
import { temporaryFolder } from "../temporary.ts";
import { SqliteStore } from "./sqlite-store.ts";
import { verifyEvents } from "./verify-events.ts";

const { signal } = new AbortController();
const text = fc.string({ unit: "binary", maxLength: 6 });
const ids = ["dep_1", "dep_2", "dep_3"] as const;

/** Events of deployments that overlap and end, and of none, and prunings in between. */
const command = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      of: fc.array(fc.option(fc.constantFrom(...ids)), { maxLength: 4 }),
      text,
    }),
  },
  fc.record({ do: fc.constant("end" as const) }),
  fc.record({ do: fc.constant("prune" as const), age: fc.nat(6) }),
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

/** One tick of the clock for each command. */
function write(store: SqliteStore, commands: readonly Command[]): void {
  store.claim("web", 0);
  let ended = 0;
  const begin = (at: number): void => {
    const id = ids[ended];
    if (id === undefined) return;
    store.accept(sampleAcceptance(id));
    store.transition({ service: "web", fence: 1, at, deployment: { id, state: "running" }, events: [] });
  };
  begin(NOW);
  for (const [tick, given] of commands.entries()) {
    const at = NOW + tick;
    const id = ids[ended];
    if (given.do === "append")
      store.append(
        given.of.map((deployment, n) =>
          sampleEvent({ at, deployment, step: given.text, data: { tick, n, [given.text]: 0 } }),
        ),
      );
    else if (given.do === "prune")
      store.prune(at - given.age, sampleEvent({ at, type: "events-pruned", data: { before: at - given.age } }));
    else if (id !== undefined) {
      store.transition({
        service: "web",
        fence: 1,
        at,
        deployment: { id, state: "completed" },
        events: [sampleEvent({ at, deployment: id })],
      });
      ended += 1;
      begin(at);
    }
  }
}

/** Something else of the same kind. */
function others(value: SQLOutputValue | undefined): (string | number | Uint8Array | null)[] {
  if (typeof value === "number") return [value + 1, value - 1, value + 1_000];
  if (typeof value === "string") return [`${value}x`, value === "" ? "y" : ""];
  if (value instanceof Uint8Array)
    return [0, 13, 31].map((at) => value.map((byte, index) => (index === at ? byte ^ 1 : byte)));
  return ["x", ""];
}

/** What the chain says after each thing that one statement can do to one row: who did what, and whether it was found. */
async function tampered(database: DatabaseSync): Promise<readonly string[]> {
  const unseen: string[] = [];
  const attempt = async (what: string, act: () => void): Promise<void> => {
    database.exec("BEGIN");
    try {
      act();
      if ((await verifyEvents(database, signal)).fault === null) unseen.push(what);
    } catch (thrown) {
      // What SQLite itself refuses cannot be done: a number that is taken, a null where none may be.
      if (!(thrown instanceof Error && /constraint failed/.test(thrown.message))) throw thrown;
    } finally {
      database.exec("ROLLBACK");
    }
  };
  for (const [table, key] of [
    ["events", "seq"],
    ["event_gaps", "last"],
    ["event_head", "id"],
    ["sqlite_sequence", "rowid"],
  ] as const) {
    const where = table === "sqlite_sequence" ? "name = 'events'" : "true";
    const rows = database.prepare(`SELECT rowid AS own, * FROM ${table} WHERE ${where} ORDER BY ${key}`).all();
    for (const row of rows) {
      const own = Number(row["own"]);
      await attempt(`${table} ${String(own)} removed`, () =>
        database.prepare(`DELETE FROM ${table} WHERE rowid = ?`).run(own),
      );
      for (const [column, value] of Object.entries(row)) {
        if (["own", "id", "name"].includes(column)) continue;
        for (const other of others(value))
          await attempt(`${table} ${String(own)} ${column} := ${String(other)}`, () =>
            database.prepare(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`).run(other, own),
          );
      }
    }
  }
  await swapped(database, attempt);
  return unseen;
}

/** Any two rows with each other, with their hashes and without; a row removed as if it were pruned; one put in. */
async function swapped(
  database: DatabaseSync,
  attempt: (what: string, act: () => void) => Promise<void>,
): Promise<void> {
  const rows = database
    .prepare("SELECT seq, hash FROM events ORDER BY seq")
    .all()
    .map(({ seq, hash }) => ({ seq: Number(seq), hash: hash ?? null }));
  const columns = ["at", "service", "deployment", "type", "step", "data"];
  const number = database.prepare("UPDATE events SET seq = ? WHERE seq = ?");
  for (const [index, { seq, hash }] of rows.entries()) {
    for (const { seq: other } of rows.slice(index + 1)) {
      await attempt(`${String(seq)} and ${String(other)} swapped`, () => {
        for (const [to, from] of [
          [-1, seq],
          [seq, other],
          [other, -1],
        ] as const)
          number.run(to, from);
      });
      await attempt(`the hashes of ${String(seq)} and ${String(other)} swapped`, () => {
        database
          .prepare(
            "UPDATE events SET hash = (SELECT hash FROM events o WHERE o.seq = ? + ? - events.seq) WHERE seq IN (?, ?)",
          )
          .run(seq, other, seq, other);
      });
    }
    await attempt(`${String(seq)} removed, with a gap in its place`, () => {
      const before = rows[index - 1]?.hash ?? Buffer.alloc(32);
      database.prepare("DELETE FROM events WHERE seq = ?").run(seq);
      database.prepare("INSERT INTO event_gaps (last, before, after) VALUES (?, ?, ?)").run(seq, before, hash);
    });
    for (const place of [-seq, seq + 1, seq + 1_000])
      await attempt(`a copy of ${String(seq)} put in as ${String(place)}`, () => {
        database
          .prepare(
            `INSERT INTO events (seq, hash, ${columns.join()}) SELECT ?, hash, ${columns.join()} FROM events WHERE seq = ?`,
          )
          .run(place, seq);
      });
  }
}

test(
  "whatever was written and pruned, the chain fits; whatever is then done to one row is found",
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 9 }), async (commands) => {
        using folder = temporaryFolder();
        const file = join(folder.path, "teal.db");
        const store = new SqliteStore(file);
        write(store, commands);
        store.close();
        using database = new DatabaseSync(file);
        expect(await verifyEvents(database, signal)).toMatchObject({ fault: null });
        expect(await tampered(database)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  },
);
