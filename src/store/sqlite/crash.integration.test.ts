import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { temporaryFolder } from "../temporary.ts";
import { sampleEvent } from "../samples.ts";
import { SqliteStore } from "./sqlite-store.ts";
import { verifyEvents } from "./verify-events.ts";

const writer = fileURLToPath(new URL("./crash-writer.ts", import.meta.url));
const ROUNDS = 12;

interface Committed {
  readonly n: number;
  readonly seq: number;
}

/** Runs the writer, kills it with SIGKILL `afterMs` after its `least`-th commit, and answers the last it had told of. */
async function writeAndKill(file: string, least: number, afterMs: number): Promise<Committed> {
  const child = spawn(process.execPath, [writer, file], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  let last: Committed = { n: 0, seq: 0 };
  let told = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [n, seq] = line.split(" ").map(Number);
    last = { n: n ?? 0, seq: seq ?? 0 };
    if (++told === least) setTimeout(() => child.kill("SIGKILL"), afterMs);
  }
  const [, signal] = (await exited) as [number | null, NodeJS.Signals | null];
  expect(signal).toBe("SIGKILL");
  return last;
}

test("a log that is cut off at any place, or torn there, leaves a whole chain", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "teal.db");
  const store = new SqliteStore(file);
  store.claim("web", 0);
  // Some fit into their page, and some do not.
  for (let n = 0; n < 20; n++)
    store.append(Array.from({ length: 1 + (n % 3) }, () => sampleEvent({ data: { text: "x".repeat(n * 50) } })));
  const [whole, log] = [readFileSync(file), readFileSync(`${file}-wal`)];
  const ends = new Set<number>();
  for (let at = 0; at < log.length; at += 1_371) {
    const copy = join(folder.path, `${String(at)}.db`);
    const torn = Buffer.from(log.subarray(0, at % 2 === 0 ? at : log.length));
    if (at % 2 === 1) torn.fill(0xa5, at, at + 512);
    writeFileSync(copy, whole);
    writeFileSync(`${copy}-wal`, torn);
    const after = new SqliteStore(copy);
    const seq = after.lastSeq();
    ends.add(seq);
    after.append([sampleEvent()]);
    using seen = new DatabaseSync(copy, { readOnly: true });
    expect(await verifyEvents(seen, new AbortController().signal)).toMatchObject({
      fault: null,
      head: { seq: seq + 1 },
    });
    after.close();
  }
  store.close();
  expect(ends.size).toBeGreaterThan(10);
});

test("kill -9 in the middle of transitions loses nothing committed and leaves no half of one", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "teal.db");
  for (let round = 0; round < ROUNDS; round++) {
    const told = await writeAndKill(file, 5, round * 1.7);
    const store = new SqliteStore(file);
    const row = store.service("web");
    const n = row?.generation ?? 0;
    // The newest one may have been committed without the word of it having come out.
    expect(n).toBeGreaterThanOrEqual(told.n);
    expect(n).toBeLessThanOrEqual(told.n + 1);
    expect(row?.fence).toBe(round + 1);
    expect(store.steps("dep_1")[1]).toMatchObject({ attempt: n, progress: { n } });
    expect(store.environments("web")).toMatchObject([{ release: String(n) }]);
    const events = store.events(0, 1_000_000).filter((event) => event.type === "warning");
    expect(events.map((event) => event.data["n"])).toEqual(Array.from({ length: n }, (_, i) => i + 1));
    expect(events[told.n - 1]?.seq).toBe(told.seq);
    using seen = new DatabaseSync(file, { readOnly: true });
    expect(await verifyEvents(seen, new AbortController().signal)).toMatchObject({ fault: null, head: { seq: n + 1 } });
    store.close();
  }
});
