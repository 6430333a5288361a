import { rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { SmallDisk } from "../../../test/small-disk.ts";
import { NOW, sampleAcceptance, sampleChunk, sampleEvent, sampleReceipt, sampleRelease } from "../samples.ts";
import type { StoredToken, Transition } from "../store.ts";
import type { StoreWrite } from "../sync.ts";
import { temporaryFolder } from "../temporary.ts";
import { Ballast } from "./ballast.ts";
import { SqliteStore } from "./sqlite-store.ts";
import { verifyEvents } from "./verify-events.ts";

const MIB = 1024 * 1024;

/** 16 KiB: more than the last page of the log could still take. */
const bulky = sampleEvent({ data: { text: "x".repeat(16 * 1024) } });

test("on a full disk the ballast's room takes the next transitions; without one they fail and the store goes on", (context) => {
  using folder = temporaryFolder();
  using disk = SmallDisk.mount(folder.path, 4) ?? context.skip("this user may not mount a tmpfs");
  const ballast = new Ballast(join(folder.path, "ballast"), { bytes: MIB, monotonic: () => performance.now() });
  const store = new SqliteStore(join(folder.path, "teal.db"), { relieve: () => ballast.drop() });
  expect(ballast.ensure()).toBe(true);
  const { fence } = store.claim("web", 0);
  store.accept(sampleAcceptance("dep_1"));
  disk.fill();

  const back = { service: "web", fence, at: 1, split: { generation: 1, weights: { blue: 100 } }, events: [bulky] };
  expect(store.transition({ ...back, deployment: { id: "dep_1", state: "rolling-back" } })).toHaveLength(1);
  expect(ballast.there).toBe(false);
  expect(store.transition({ ...back, deployment: { id: "dep_1", state: "aborted" } })).toHaveLength(1);

  disk.fill();
  expect(() => store.append([bulky])).toThrow(
    expect.objectContaining({ code: "store-failed", cause: expect.anything() }),
  );
  expect(store.deployment("dep_1")).toMatchObject({ state: "aborted" });
  expect(store.lastSeq()).toBe(3);

  disk.free();
  expect(store.append([bulky])).toMatchObject([{ seq: 4 }]);
  store.close();
});

type Write = (store: SqliteStore) => unknown;

const change = (more: Partial<Transition>): Transition => ({ service: "web", fence: 1, at: NOW, events: [], ...more });
const ended = sampleEvent({ type: "deployment-state" });
const token: StoredToken = {
  id: "1e",
  name: "ci",
  role: "deployer",
  services: ["web"],
  createdBy: "ann",
  createdAt: NOW,
  expiresAt: null,
  usedAt: null,
  hash: "ab".repeat(32),
};

type Part = Exclude<keyof Transition, "service" | "fence" | "at" | "events">;

/** Every part that a transition may have, each once at least: without a new one this does not compile. */
const TRANSITIONS: { readonly [P in Part]: Partial<Transition> & Required<Pick<Transition, P>> } = {
  deployment: { deployment: { id: "dep_1", state: "running" }, events: [bulky] },
  environments: {
    deployment: { id: "dep_1" },
    release: { ...sampleRelease, id: "v3" },
    environments: [{ service: "web", name: "green", release: "v2", desired: "running" }],
    events: [bulky],
  },
  release: { release: { ...sampleRelease, digest: "34".repeat(32) } },
  // As a gate keeps until when it waits.
  steps: { deployment: { id: "dep_1" }, steps: [{ id: "start", state: "running", progress: { wakeAt: NOW } }] },
  split: {
    deployment: { id: "dep_1", touchedTraffic: true },
    split: { generation: 1, weights: { blue: 90, green: 10 } },
    receipt: sampleReceipt(),
    events: [bulky, sampleEvent()],
  },
  receipt: { receipt: sampleReceipt({ generation: 2 }) },
  maintenance: {
    maintenance: {
      revision: 1,
      order: {
        mode: "hold",
        deadlineMs: 30_000,
        most: 9,
        until: NOW + 5,
        endsIn: "on",
        page: { type: "text/plain", base64: "aGk=" },
        status: 503,
        retryAfterMs: 1,
        allow: ["192.0.2.1"],
      },
      since: NOW,
      by: "ann",
      reason: null,
    },
    events: [sampleEvent({ type: "maintenance" })],
  },
  roles: { roles: { active: "green", standby: "blue" } },
  retirement: {
    retirement: { set: { service: "web", environment: "blue", release: "v3", at: NOW } },
    deployment: { id: "dep_1", state: "completed" },
    events: [ended],
  },
};

/**
 * Every write that the store has, in the course of one deployment and of what comes after it, in this order: without a
 * new one this does not compile.
 */
const WRITES: Readonly<Record<StoreWrite, readonly Write[]>> = {
  accept: [(store) => store.accept(sampleAcceptance("dep_1"))],
  rememberAbort: [
    (store) => {
      store.rememberAbort("web", "key", "dep_1");
    },
  ],
  approve: [
    (store) => store.approve("dep_1", { by: "ann", reason: null, at: NOW }, [sampleEvent({ type: "approval" })]),
  ],
  transition: Object.values(TRANSITIONS).map((more) => (store: SqliteStore) => store.transition(change(more))),
  putReceipt: [
    (store) => {
      store.putReceipt(sampleReceipt({ generation: 9 }));
    },
  ],
  append: [(store) => store.append([bulky])],
  putSeries: [
    (store) => {
      store.putSeries(sampleChunk({ deployment: "dep_1" }));
    },
  ],
  addToken: [(store) => store.addToken(token, [sampleEvent({ type: "token-created" })])],
  markTokenUsed: [
    (store) => {
      store.markTokenUsed(token.id, NOW + 1);
    },
  ],
  removeToken: [(store) => store.removeToken(token.id, [sampleEvent({ type: "token-revoked" })])],
  removeRelease: [
    (store) => {
      store.removeRelease("web", "v3", [sampleEvent({ type: "release-pruned" })]);
    },
  ],
  claim: [(store) => store.claim("web", 5)],
  prune: [
    (store) => {
      store.prune(NOW + 1_000_000, sampleEvent({ type: "events-pruned" }));
    },
  ],
};

/** All rows of all tables, as somebody else reads them. */
function rowsOf(file: string): unknown {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
    return tables.map(({ name }) => [name, database.prepare(`SELECT * FROM "${String(name)}"`).all()]);
  } finally {
    database.close();
  }
}

/** Whether the disk was full at one of the writes, with room for so many pages at the first. */
async function runWith(disk: SmallDisk, pages: number): Promise<boolean> {
  const file = join(disk.path, `${String(pages)}.db`);
  const store = new SqliteStore(file);
  store.claim("web", 0);
  disk.fill(pages);
  let wasFull = false;
  for (const write of Object.values(WRITES).flat()) {
    const before = rowsOf(file);
    try {
      write(store);
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: "store-failed" });
      expect(rowsOf(file)).toEqual(before);
      disk.free();
      wasFull = true;
      write(store);
    }
    expect(rowsOf(file)).not.toEqual(before);
  }
  using seen = new DatabaseSync(file, { readOnly: true });
  expect(await verifyEvents(seen, new AbortController().signal)).toMatchObject({ fault: null });
  store.close();
  disk.free();
  for (const end of ["", "-wal", "-shm"]) rmSync(`${file}${end}`, { force: true });
  return wasFull;
}

test("wherever in a write the disk is full: it is written wholly or not at all, and can be written again", async (context) => {
  using folder = temporaryFolder();
  using disk = SmallDisk.mount(folder.path, 4) ?? context.skip("this user may not mount a tmpfs");
  let pages = 0;
  while (await runWith(disk, pages)) pages += 1;
  // As many places as all of it takes pages.
  expect(pages).toBeGreaterThan(30);
});
