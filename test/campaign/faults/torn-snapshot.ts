import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { SLOT_BYTES } from "../../../src/proxy/snapshot-file.ts";
import { draw } from "../seeded.ts";
import type { Fault } from "./fault.ts";
import { STEPS } from "./steps.ts";

/** Where a slot's header has its sequence: see snapshot-file.ts. */
const SEQUENCE_AT = 8;

/**
 * The proxy's newest snapshot, the one write that is answered before it is synced, was half on the disk when the machine
 * lost its power. Then somebody says `teal up`.
 */
export const tornSnapshot: Fault = {
  name: "torn-snapshot",
  underLoad: false,
  async inject(campaign, size) {
    for (const border of draw(STEPS, size === "short" ? 2 : 5, campaign.random)) {
      campaign.strikes.wish({ kind: "kill", target: "machine", border });
      const { id } = await campaign.deployTo(border, () => campaign.strikes.killAll(border));
      campaign.forget(() => {
        tearNewestSlot(campaign.site.paths.proxySnapshot);
      });
      await campaign.site.start();
      await campaign.site.ended(id);
      await campaign.whole();
    }
  },
};

/** The slot's checksum is wrong from then on, as after half a write. */
function tearNewestSlot(path: string): void {
  const file = openSync(path, "r+");
  try {
    const sequences = [0, 1].map((index) => {
      const bytes = Buffer.alloc(8);
      readSync(file, bytes, 0, bytes.length, index * SLOT_BYTES + SEQUENCE_AT);
      return bytes.readDoubleLE(0);
    });
    const newest = (sequences[0] ?? 0) > (sequences[1] ?? 0) ? 0 : 1;
    writeSync(file, Buffer.alloc(8, 0xff), 0, 8, newest * SLOT_BYTES + SEQUENCE_AT);
  } finally {
    closeSync(file);
  }
}
