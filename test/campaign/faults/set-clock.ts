import { globSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { requires } from "../../requires.ts";
import type { Site } from "../../site.ts";
import type { Campaign } from "../campaign.ts";
import type { Fault } from "./fault.ts";

const HOURS = 2;
/** How long each part of the split is watched, and the same bake: long enough to set a clock in it. */
const WATCH_MS = 2_000;

/** Of Debian's package `faketime`: answers who asks for the wall clock; the monotonic one and all timers stay real. */
const LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1";

const fileOf = (site: Site): string => join(site.dir, "clock");

/** From now on all processes of Teal, and no other, have a clock that is so much ahead. */
function setClock(site: Site, hours: number): void {
  writeFileSync(fileOf(site), `${hours < 0 ? "-" : "+"}${String(Math.abs(hours))}h`);
}

function withOwnClock(site: Site): void {
  setClock(site, 0);
  site.set({
    LD_PRELOAD: globSync(LIBRARY)[0] ?? "",
    FAKETIME_TIMESTAMP_FILE: fileOf(site),
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    NO_FAKE_STAT: "1",
  });
}

/** The clock is set when the deployment comes to `step`; it is completed, in its own time. */
async function setAt(campaign: Campaign, step: string, hours: number, then?: () => Promise<void>): Promise<void> {
  const { site } = campaign;
  const id = await campaign.deploy();
  await campaign.atStep(id, step);
  setClock(site, hours);
  await then?.();
  expect(await site.ended(id)).toMatchObject({ state: "completed" });
  if (then === undefined) {
    // What came after it may be seen a moment later than the end is told.
    const { ms } = await site.until("its end is seen", () => {
      const lasted = campaign.lastedAt(50);
      return Promise.resolve(lasted === null ? null : { ms: lasted });
    });
    expect(ms).toBeGreaterThan(WATCH_MS * 0.9);
  }
  await campaign.whole();
}

/** The wall clock is set by hours, forwards and back, in a start, a watch, a bake, an approval, and before a restart. */
export const clock: Fault = {
  name: "clock",
  underLoad: true,
  service: {
    deploy: {
      shift: [{ weight: 50, for: `${String(WATCH_MS)}ms` }],
      bake: `${String(WATCH_MS)}ms`,
      // A retirement goes by the wall clock: its hour is the one on the calendar.
      keepStandby: "72h",
    },
  },
  needs: (test) => requires(test, "faketime"),
  prepare: withOwnClock,
  async inject(campaign) {
    const { site } = campaign;
    campaign.sameClock = false;
    await setAt(campaign, "start", HOURS);
    await setAt(campaign, "shift-50", 0);
    await setAt(campaign, "shift-50", HOURS);
    await setAt(campaign, "bake", -HOURS);
    await setAt(campaign, "shift-50", -2 * HOURS, async () => {
      await campaign.kill("server");
    });
    await setAt(campaign, "bake", 0);
    await campaign.configure({ deploy: { approval: "beforeShift", keepStandby: "72h" } });
    const id = await campaign.deploy();
    await campaign.atStep(id, "approval");
    // The longest that is waited for an approval is a day.
    for (const hours of [36, -36]) {
      setClock(site, hours);
      await campaign.pause(1_000, 1_500);
      expect((await site.client.deployment(id)).state).toBe("waiting");
    }
    await site.client.approve(id, {});
    expect(await site.ended(id)).toMatchObject({ state: "completed" });
  },
};
