import { describe, expect, test } from "vitest";
import { TealError } from "../model/error.ts";
import type { MaintenanceMode } from "../model/maintenance.ts";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import type { Store } from "../store/store.ts";
import type { MaintenanceOutcome, MaintenanceRequest } from "./control.ts";
import { FaultyStore } from "./testing/faulty-store.ts";
import { quickSpec, Rig } from "./testing/rig.ts";

const ASKED = { by: "ann", reason: "moving the database", longestMs: null, endsIn: null, close: false };
const soon = () => AbortSignal.timeout(5_000);

async function rig(store: Store = directSqliteStore(":memory:")): Promise<Rig> {
  const made = new Rig(store);
  await made.engine.start({});
  return made;
}

const ask = (made: Rig, mode: MaintenanceMode, more: Partial<MaintenanceRequest> = {}): Promise<MaintenanceOutcome> =>
  made.engine.control.maintenance("web", { ...ASKED, mode, ...more });
const live = async (made: Rig): Promise<unknown> => (await made.traffic.observe("web")).maintenance;
const shown = async (made: Rig) => (await made.engine.control.serviceStatus("web", soon())).maintenance;
const told = (made: Rig) => made.events.filter(({ type }) => type === "maintenance").map(({ data }) => data);

describe("maintenance", () => {
  test("is journaled with who and why, live at the data plane, and in the status until it is off", async () => {
    const made = await rig();
    await made.deployed("v1");
    expect(await shown(made)).toBeNull();
    expect(await ask(made, "on")).toMatchObject({ changed: true, warnings: [], record: { revision: 1, by: "ann" } });
    expect(await live(made)).toBe("on");
    expect(await shown(made)).toMatchObject({ mode: "on", live: "on", by: "ann", reason: "moving the database" });
    expect(await ask(made, "on")).toMatchObject({ changed: false, record: { revision: 1 } });
    expect(await ask(made, "off", { by: "bob", reason: null })).toMatchObject({ changed: true });
    expect(await ask(made, "off")).toMatchObject({ changed: false });
    expect([await live(made), await shown(made)]).toEqual(["off", null]);
    expect(told(made)).toMatchObject([
      { mode: "on", from: "off", by: "ann", reason: "moving the database" },
      { mode: "off", from: "on", by: "bob", reason: null },
    ]);
  });

  test("is journaled before the data plane is told", async () => {
    const store = directSqliteStore(":memory:");
    const made = await rig(store);
    await made.deployed("v1");
    made.traffic.down = new TealError("data-plane-down", "no proxy");
    await expect(ask(made, "on")).rejects.toMatchObject({ code: "data-plane-down" });
    expect(await store.maintenance("web")).toMatchObject({ order: { mode: "on" } });
    expect(await shown(made)).toMatchObject({ mode: "on", live: null });
    made.traffic.down = null;
    expect(await live(made)).toBe("off");
    // The data plane is reached again.
    made.traffic.tell({ kind: "connected" });
    await made.until("it is on", async () => (await live(made)) === "on");
  });

  test("takes teal.yaml as it is now, with its page; what cannot be read is told, and stops nothing", async () => {
    const made = await rig();
    await made.deployed("v1");
    const hold = { deadlineMs: 9_000, most: 7, longestMs: 60_000, endsIn: "on" as const };
    const maintenance = { page: "/srv/page.txt", status: 429, retryAfterMs: 5_000, allow: ["192.0.2.1"], hold };
    made.spec = { ...quickSpec, traffic: { ...quickSpec.traffic, maintenance } };
    await ask(made, "on");
    const page = { type: "text/plain", base64: Buffer.from("/srv/page.txt").toString("base64") };
    expect(made.traffic.maintained.at(-1)?.order).toMatchObject({ page, status: 429, retryAfterMs: 5_000 });
    const now = made.clock.now();
    expect((await ask(made, "hold")).record.order).toMatchObject({ until: now + 60_000, endsIn: "on", most: 7 });
    expect((await ask(made, "hold", { longestMs: 1_000, endsIn: "off" })).record.order).toMatchObject({
      until: now + 1_000,
      endsIn: "off",
    });
    made.spec = { ...made.spec, traffic: { ...made.spec.traffic, maintenance: { ...maintenance, page: "/gone" } } };
    made.missingPages.add("/gone");
    const plain = await ask(made, "on");
    expect(plain.warnings).toEqual([expect.stringContaining("/gone")]);
    expect(plain.record.order.page).toBeNull();
    made.unreadable = new TealError("config-invalid", "line 3");
    const old = await ask(made, "on");
    expect(old.warnings).toEqual([expect.stringContaining("line 3")]);
    expect(old.record.order).toMatchObject({ status: 503, allow: [] });
  });

  test("works in the middle of a deployment, which goes on; a take-back changes nothing of it", async () => {
    const made = await rig();
    await made.deployed("v1");
    const { id } = await made.deploy("v2");
    await made.atStep(id, "shift-10");
    await ask(made, "on");
    await made.atStep(id, "shift-50");
    expect(await live(made)).toBe("on");
    await made.engine.control.abort(id, { by: "ann", reason: null, idempotencyKey: null }, soon());
    await made.ended(id);
    expect(await live(made)).toBe("on");
    await ask(made, "off");
    expect(await live(made)).toBe("off");
  });

  test("works while something else holds the service's traffic", async () => {
    const made = await rig();
    await made.deployed("v1");
    const stuck = Promise.withResolvers<void>();
    made.traffic.beforeApply = ({ deployment }) => (deployment === null ? Promise.resolve() : stuck.promise);
    const { id } = await made.deploy("v2");
    await made.atStep(id, "shift-10");
    await ask(made, "on");
    expect(await live(made)).toBe("on");
    await ask(made, "off");
    expect(await live(made)).toBe("off");
    stuck.resolve();
    await made.ended(id);
  });

  test("a fence that rises in between is no failure", async () => {
    const store = directSqliteStore(":memory:");
    const made = await rig(store);
    await made.deployed("v1");
    const maintain = made.traffic.maintain;
    let refusals = 2;
    made.traffic.maintain = async (change) => {
      if (refusals-- > 0) {
        await store.claim("web", 0);
        throw new TealError("fenced", "something newer");
      }
      return maintain(change);
    };
    const { fence = 0 } = (await store.service("web")) ?? {};
    await ask(made, "on");
    expect(made.traffic.maintained).toMatchObject([{ fence: fence + 2, revision: 1 }]);
    expect(told(made)).toHaveLength(1);
  });

  test("off works without the store, which gets its record later", async () => {
    const disk = new FaultyStore();
    const made = await rig(disk.store);
    await made.deployed("v1");
    await ask(made, "on");
    disk.refusing = true;
    await expect(ask(made, "hold")).rejects.toMatchObject({ code: "store-failed" });
    expect(await ask(made, "off", { by: "bob" })).toMatchObject({ changed: true, warnings: [expect.any(String)] });
    expect(await live(made)).toBe("off");
    disk.refusing = false;
    await made.until("it is written", async () => (await disk.store.maintenance("web"))?.order.mode === "off");
    expect(told(made).at(-1)).toMatchObject({ mode: "off", by: "bob" });
  });

  test("a hold that nobody ends is over at its time, and the record says so", async () => {
    const made = await rig();
    await made.deployed("v1");
    await ask(made, "hold", { longestMs: 3_000, endsIn: "on" });
    expect(await live(made)).toBe("hold");
    expect(await shown(made)).toMatchObject({ mode: "hold", until: made.clock.now() + 3_000, endsIn: "on" });
    await made.until("it is written", () => told(made).length === 2);
    expect(told(made).at(-1)).toMatchObject({ mode: "on", from: "hold", by: "teal", until: null });
    expect(await live(made)).toBe("on");
  });

  test.each([7_200_000, -7_200_000])("a hold lasts as long as ever when the clock is set by %i ms", async (ms) => {
    const made = await rig();
    await made.deployed("v1");
    const began = made.clock.monotonic();
    await ask(made, "hold", { longestMs: 30_000 });
    made.clock.jump(ms);
    await made.until("it is written", () => told(made).length === 2);
    expect(Math.abs(made.clock.monotonic() - began - 30_000)).toBeLessThan(2_000);
  });

  test("a hold whose end came while no server ran is written down by the next", async () => {
    const made = await rig();
    await made.deployed("v1");
    await ask(made, "hold", { longestMs: 60_000 });
    made.life.end();
    made.clock.advance(61_000);
    expect(await live(made)).toBe("off");
    await made.crash();
    await made.until("it is written", () => told(made).length === 2);
    expect(told(made).at(-1)).toMatchObject({ mode: "off", from: "hold", by: "teal" });
  });

  test("a server that starts tells a data plane that has lost it", async () => {
    const made = await rig();
    await made.deployed("v1");
    await ask(made, "on");
    made.traffic.forgetMaintenance("web");
    expect(await live(made)).toBe("off");
    await made.restart();
    await made.until("it is on", async () => (await live(made)) === "on");
    expect(told(made)).toHaveLength(1);
  });

  test("is refused without a release, but for off; and by a driver that cannot do it", async () => {
    const made = await rig();
    await expect(ask(made, "on")).rejects.toMatchObject({ code: "no-release" });
    expect(await ask(made, "off")).toMatchObject({ changed: false, record: { order: { mode: "off" } } });
    const other = made.engine.control.maintenance("other", { ...ASKED, mode: "off" });
    await expect(other).rejects.toMatchObject({ code: "service-unknown" });
    await made.deployed("v1");
    Reflect.deleteProperty(made.traffic, "maintain");
    await expect(ask(made, "hold")).rejects.toMatchObject({ code: "unsupported" });
    expect(await ask(made, "off")).toMatchObject({ changed: false });
  });
});
