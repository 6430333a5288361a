import { randomBytes } from "node:crypto";
import type { Clock, Ids } from "../model/time.ts";

/** `dep_mp3k2v8a1f9c`: 9 digits of base 36 for the time, so that ids sort by it for a thousand years, then 40 random bits. */
export function timeSortedIds(clock: Clock): Ids {
  return {
    next: (prefix) => `${prefix}_${clock.now().toString(36).padStart(9, "0")}${randomBytes(5).toString("hex")}`,
  };
}
