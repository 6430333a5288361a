import { join } from "node:path";
import { expect, test } from "vitest";
import { ManualClock } from "../engine/testing/manual-clock.ts";
import { temporaryFolder } from "../store/temporary.ts";
import { PlaneHarness, tableOf } from "./plane-harness.ts";

const HOUR = 3_600_000;

test.each([0, 2 * HOUR, -2 * HOUR])(
  "a hold of 30 s ends after 30 s, also when the clock is set by %i ms",
  async (ms) => {
    using folder = temporaryFolder();
    const clock = new ManualClock();
    const snapshotPath = join(folder.path, "snapshot");
    const harness = new PlaneHarness({ snapshotClock: new ManualClock(), clock, snapshotPath });
    const { plane } = harness;
    await harness.settle([plane.apply(tableOf({}))]);
    const order = { mode: "hold", until: clock.now() + 30_000, endsIn: "off", page: null, allow: [] } as const;
    const rest = { status: 503, retryAfterMs: 1, deadlineMs: 1_000, most: 3 };
    const asked = { fence: 1, revision: 1, order: { ...order, ...rest, allow: [] } };
    await harness.settle([plane.maintain("web", asked, false)]);
    clock.jump(ms);
    clock.advance(29_000);
    await harness.settle([]);
    expect(plane.observe("web").maintenance).toBe("hold");
    clock.advance(1_000);
    await harness.settle([]);
    expect(plane.observe("web").maintenance).toBe("off");
    plane.close();
  },
);
